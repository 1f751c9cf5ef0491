import type { Clock } from '../clock.js';

/** Something that happens after a while, unless it is cancelled. */
export interface HeartbeatTimer {
  cancel(): void;
  /** What is left of its delay; 0 once it has run or has been cancelled. */
  readonly leftMs: number;
}

interface Entry extends HeartbeatTimer {
  run(): void;
}

const beatMs = 1_000;

/**
 * One wheel of timers for all connections. It counts beats, not time: when the process was busy and a beat comes late,
 * every deadline moves by the delay, so the server's own pause is never taken for its clients' silence.
 *
 * A timer runs between its delay and one second later, never before.
 */
export class Heartbeat {
  private beat = 0;
  private readonly slots = new Map<number, Set<Entry>>();
  private stopTicking: (() => void) | undefined;
  private lastBeatAt = 0;

  constructor(private readonly clock: Clock) {}

  /** Time as the beats count it, in milliseconds since the first. */
  get elapsedMs(): number {
    return this.beat * beatMs;
  }

  get timerCount(): number {
    let count = 0;
    for (const slot of this.slots.values()) count += slot.size;
    return count;
  }

  start(): void {
    if (this.stopTicking === undefined) this.wait();
  }

  stop(): void {
    this.stopTicking?.();
    this.stopTicking = undefined;
    this.slots.clear();
  }

  /** As `elapsedMs`, with what has passed of the beat that is to come: what is left of a delay must not round. */
  get nowMs(): number {
    return this.beat * beatMs + Math.min(Math.max(this.clock.now() - this.lastBeatAt, 0), beatMs);
  }

  after(delayMs: number, callback: () => void): HeartbeatTimer {
    const dueMs = this.nowMs + delayMs;
    const due = Math.max(Math.ceil(dueMs / beatMs), this.beat + 1);
    let slot = this.slots.get(due);
    if (slot === undefined) this.slots.set(due, (slot = new Set()));
    const entry = new WheelTimer(this, slot, dueMs, delayMs, callback);
    slot.add(entry);
    return entry;
  }

  private wait(): void {
    this.lastBeatAt = this.clock.now();
    this.stopTicking = this.clock.after(beatMs, () => this.tick());
  }

  private tick(): void {
    const late = this.clock.now() - this.lastBeatAt > 2 * beatMs;
    this.wait();
    // Timers run before sockets are read: what clients sent during the pause has not been seen yet.
    if (late) return;
    this.beat++;
    const slot = this.slots.get(this.beat);
    this.slots.delete(this.beat);
    for (const entry of slot ?? []) entry.run();
  }
}

class WheelTimer implements Entry {
  constructor(
    private readonly wheel: Heartbeat,
    private readonly slot: Set<Entry>,
    private readonly dueMs: number,
    private readonly delayMs: number,
    private readonly callback: () => void,
  ) {}

  get leftMs(): number {
    if (!this.slot.has(this)) return 0;
    // A late beat gives back what had passed before it, but never more than there was.
    return Math.min(Math.max(this.dueMs - this.wheel.nowMs, 0), this.delayMs);
  }

  cancel(): void {
    this.slot.delete(this);
  }

  run(): void {
    if (this.slot.delete(this)) this.callback();
  }
}
