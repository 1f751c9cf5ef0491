import { isPromise } from '../awaitable.js';
import type { LogEntry } from '../messaging/log-entry.js';
import type { LogReading, MessageBus } from '../messaging/message-bus.js';
import type { Position } from '../messaging/position.js';
import type { Subscriber } from '../messaging/topic.js';
import type { EncodedMessage } from '../wire/hub-protocol.js';
import type { LiveTransport, Transport } from '../wire/transport.js';

/** The topics that a connection has, as they are now. */
export interface WantedTopics {
  /** After which place each topic is wanted; nothing before `after` is. */
  topics(after: Position): ReadonlyMap<string, Position>;
  /**
   * While a topic is being held or released it is not known what belongs to the connection. Settles when all changes
   * have come into force; `undefined` if none is on its way.
   */
  readonly unsettled: Promise<void> | undefined;
  /** Counts the changes. */
  readonly changes: number;
}

/** What delivery asks of the connection, and tells it. */
export interface DeliverySource {
  /** A new groups token if one is due; asking for it settles that. */
  takeGroupsToken(): string | undefined;
  /** The log has moved on, or a batch has been taken: the transport is over. */
  transportOver(transport: Transport, how: 'lost' | 'taken'): void;
}

/** What a resume found in the log before its stages ran. */
export type Replay = Pick<LogReading<EncodedMessage>, 'entries' | 'upTo'>;

/** How much goes into one frame of a replay. */
const frameMessages = 100;
const frameBytes = 64 * 1024;

/**
 * Writes one connection's messages: live while its transport keeps up with the log, else from the log until it does.
 * Everything of the connection's topics up to `written` has been written, or dropped because it is not wanted.
 */
export class Delivery implements Subscriber<EncodedMessage> {
  transport: Transport | undefined;
  /** The place up to which the connection has been written. */
  written: Position;
  /** Whether a groups token is waiting to be told. */
  tokenDue = false;
  private live = false;
  private reading = false;
  private missed = false;
  private pumping = false;
  private held: (Uint8Array | string)[] = [];

  constructor(
    readonly id: string,
    private readonly bus: MessageBus<EncodedMessage>,
    private readonly wanted: WantedTopics,
    private readonly source: DeliverySource,
  ) {
    this.written = bus.head;
  }

  /** Begins at a place, or with what a resume found in the log, and goes on from there. */
  attach(transport: Transport, start: Position | Replay): void {
    this.transport = transport;
    this.live = false;
    this.reading = false;
    this.held = [];
    if (typeof start === 'number') {
      this.written = start;
      this.pump();
    } else {
      this.missed = true;
      this.write(transport, this.stillWanted(start.entries), start.upTo);
    }
  }

  detach(): void {
    this.transport = undefined;
    this.live = false;
    this.held = [];
  }

  deliver(entry: LogEntry<EncodedMessage>): void {
    if (!this.live) {
      this.missed = true;
      if (this.transport?.live === false) this.pumpSoon();
      return;
    }
    if (entry.position <= this.written) return;
    if (this.wanted.unsettled !== undefined) {
      // Whether it is wanted is known when the changes are in force; it is read from the log then.
      this.live = false;
      this.missed = true;
      this.pump();
      return;
    }
    this.written = entry.position;
    const transport = this.transport as LiveTransport;
    if (this.tokenDue) {
      this.writeFrame(transport, [entry], entry.position);
      return;
    }
    const frame = entry.body.frame(transport.framing, entry.cursor);
    if (frame !== undefined) transport.write(frame);
  }

  /** Writes the answer to a call, if the transport that carried the call is still the connection's. */
  answer(transport: Transport, frame: Uint8Array | string): void {
    if (this.transport !== transport || !transport.live) return;
    if (!this.live) this.held.push(frame);
    else {
      this.flushToken();
      transport.write(frame);
    }
  }

  /** Tells a groups token that nothing else has told. */
  flushToken(): void {
    if (!this.tokenDue || this.transport === undefined) return;
    if (this.live) this.writeFrame(this.transport as LiveTransport, [], this.written);
    else if (!this.transport.live) this.pump();
  }

  /** Several messages of one tick go into one batch. */
  private pumpSoon(): void {
    if (this.pumping) return;
    this.pumping = true;
    queueMicrotask(() => {
      this.pumping = false;
      if (this.transport?.live === false) this.pump();
    });
  }

  private pump(): void {
    const { transport } = this;
    if (transport === undefined || this.reading) return;
    const { unsettled, changes } = this.wanted;
    if (unsettled !== undefined) {
      this.readWhen(transport, unsettled, () => this.pump());
      return;
    }
    this.missed = false;
    const found = this.bus.read(this.id, this.wanted.topics(this.written));
    if (!isPromise<LogReading<EncodedMessage>>(found)) this.take(transport, found);
    else
      this.readWhen(transport, found, (reading) => {
        // What was read is not what is wanted any more: messages would be missing, or be too many.
        if (this.wanted.changes !== changes) this.pump();
        else this.take(transport, reading);
      });
  }

  private readWhen<T>(transport: Transport, promise: Promise<T>, next: (value: T) => void): void {
    this.reading = true;
    promise.then(
      (value) => {
        if (this.transport !== transport) return;
        this.reading = false;
        next(value);
      },
      () => {
        if (this.transport === transport) this.source.transportOver(transport, 'lost');
      },
    );
  }

  private take(transport: Transport, reading: LogReading<EncodedMessage>): void {
    // What is lost must be told, and only a resume can tell it.
    if (reading.complete) this.write(transport, reading.entries, reading.upTo);
    else this.source.transportOver(transport, 'lost');
  }

  private write(transport: Transport, entries: readonly LogEntry<EncodedMessage>[], upTo: Position): void {
    if (transport.live) {
      this.writeLive(transport, entries);
      this.written = upTo;
      if (this.transport !== transport) return;
      if (this.missed) this.pump();
      else this.goLive(transport);
      return;
    }
    this.written = upTo;
    const messages = this.encoded(transport, entries);
    if (messages.length === 0 && !this.tokenDue) {
      if (this.missed) this.pump();
      return;
    }
    this.transport = undefined;
    transport.writeBatch(messages, this.bus.writePosition(upTo), this.token());
    this.source.transportOver(transport, 'taken');
  }

  private goLive(transport: LiveTransport): void {
    this.live = true;
    this.flushToken();
    const { held } = this;
    this.held = [];
    for (const frame of held) transport.write(frame);
  }

  private writeLive(transport: LiveTransport, entries: readonly LogEntry<EncodedMessage>[]): void {
    let first = 0;
    let bytes = 0;
    for (let index = 0; index < entries.length; index++) {
      bytes += (entries[index] as LogEntry<EncodedMessage>).sizeBytes;
      const isLast = index === entries.length - 1;
      if (!isLast && bytes < frameBytes && index - first + 1 < frameMessages) continue;
      const part = entries.slice(first, index + 1);
      this.writeFrame(transport, part, (part[part.length - 1] as LogEntry<EncodedMessage>).position);
      first = index + 1;
      bytes = 0;
    }
  }

  private writeFrame(transport: LiveTransport, entries: readonly LogEntry<EncodedMessage>[], place: Position): void {
    const messages = this.encoded(transport, entries);
    if (messages.length === 0 && !this.tokenDue) return;
    transport.write(transport.framing.frame(messages, this.bus.writePosition(place), this.token()));
  }

  private token(): string | undefined {
    if (!this.tokenDue) return undefined;
    this.tokenDue = false;
    return this.source.takeGroupsToken();
  }

  private encoded(transport: Transport, entries: readonly LogEntry<EncodedMessage>[]): Uint8Array[] {
    const messages: Uint8Array[] = [];
    for (const entry of entries) {
      const message = entry.body.encoded(transport.framing.protocol);
      if (message !== undefined) messages.push(message);
    }
    return messages;
  }

  /** Memberships may have ended since the log was read. */
  private stillWanted(entries: readonly LogEntry<EncodedMessage>[]): readonly LogEntry<EncodedMessage>[] {
    const topics = this.wanted.topics(0);
    return entries.filter((entry) => {
      for (const topic of entry.topics) {
        const since = topics.get(topic.name);
        if (since !== undefined && entry.position > since) return true;
      }
      return false;
    });
  }
}
