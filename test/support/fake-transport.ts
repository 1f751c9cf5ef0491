import type { ConnectionRecord } from '@hubline/core/internal/connections/connection-record.js';
import type { OutboundCall } from '@hubline/core/internal/wire/hub-message.js';
import type { Framing, HubProtocol } from '@hubline/core/internal/wire/hub-protocol.js';
import type { BatchTransport, LiveTransport, TransportEnding } from '@hubline/core/internal/wire/transport.js';

/** What a client reads of one frame or batch: the numbers of the messages in it. */
export interface ReadFrame {
  readonly messages: readonly number[];
  readonly cursor: string;
  readonly token: string | undefined;
}

/** A message is the number that it carries. */
export const fakeProtocol: HubProtocol = {
  name: 'fake',
  encodeCall: (call: OutboundCall) => Buffer.from(JSON.stringify(call.arguments_[0]).padStart(20)),
};

const numbersOf = (messages: readonly Uint8Array[]): number[] => messages.map((bytes) => Number(String(bytes)));

export const fakeFraming: Framing = {
  protocol: fakeProtocol,
  frame: (messages, cursor, token) => Buffer.from(JSON.stringify({ messages: numbersOf(messages), cursor, token })),
};

export type TransportKind = 'live' | 'batch';

/** One end of a connection, with what is under way to the client. */
export class FakeTransport {
  readonly name = 'fake';
  readonly framing = fakeFraming;
  readonly live: boolean;
  readonly underWay: ReadFrame[] = [];
  /** What the server said last. */
  ending: TransportEnding | undefined;
  /** What its request was answered with, if it was refused. */
  refusal: unknown;
  /** Whether the server has noticed that the client left. */
  isGone = false;
  record: ConnectionRecord | undefined;
  generation = 0;

  constructor(
    kind: TransportKind,
    private readonly written: (frame: ReadFrame) => void,
  ) {
    this.live = kind === 'live';
  }

  /** This, as the server knows it. */
  get asTransport(): LiveTransport | BatchTransport {
    return this as unknown as LiveTransport | BatchTransport;
  }

  /** The request has become the transport of a connection. */
  carry(record: ConnectionRecord, generation: number): void {
    this.record = record;
    this.generation = generation;
    if (this.isGone) record.lose(generation);
  }

  /** The server notices that the client has left. */
  notice(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.record?.lose(this.generation);
  }

  pause(): void {
    // Nothing is read.
  }

  write(frame: Uint8Array | string): void {
    if (this.ending === undefined) this.put(JSON.parse(String(frame)) as ReadFrame);
  }

  writeBatch(messages: readonly Uint8Array[], cursor: string, token: string | undefined): void {
    this.put({ messages: numbersOf(messages), cursor, token });
  }

  end(ending: TransportEnding): void {
    this.ending ??= ending;
  }

  private put(frame: ReadFrame): void {
    this.written(frame);
    this.underWay.push(frame);
  }
}
