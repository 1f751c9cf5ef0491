import type { Clock } from '../clock.js';

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** Lets everything that is ready run: promises, and what in-memory sockets carry. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * A clock that stands still until a test moves it. Whatever waits for time in the server then happens at once, in its
 * order.
 *
 * @example
 * ```ts
 * import { VirtualClock } from '@hubline/core/testing';
 *
 * export async function oneMinute(): Promise<number> {
 *   const clock = new VirtualClock();
 *   let rings = 0;
 *   clock.after(60_000, () => rings++);
 *   await clock.advance(60_000);
 *   return rings;
 * }
 * ```
 */
export class VirtualClock implements Clock {
  private time: number;
  private readonly timers = new Set<Timer>();

  /** `startsAt` is in milliseconds since 1970. */
  constructor(startsAt = Date.UTC(2000, 0, 1)) {
    this.time = startsAt;
  }

  /** How many timers are waiting. */
  get timerCount(): number {
    return this.timers.size;
  }

  now(): number {
    return this.time;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { due: this.time + delayMs, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Moves time by `ms`; what is due runs when its time comes, with a turn of the event loop after each. */
  async advance(ms: number): Promise<void> {
    const until = this.time + ms;
    await settle();
    for (let timer = this.earliest(until); timer !== undefined; timer = this.earliest(until)) {
      this.timers.delete(timer);
      this.time = Math.max(this.time, timer.due);
      timer.callback();
      await settle();
    }
    this.time = until;
  }

  /** Moves time at once, as a process sees it that was busy for so long: timers that are due have not run yet. */
  stall(ms: number): void {
    this.time += ms;
  }

  private earliest(until: number): Timer | undefined {
    let found: Timer | undefined;
    for (const timer of this.timers)
      if (timer.due <= until && (found === undefined || timer.due < found.due)) found = timer;
    return found;
  }
}
