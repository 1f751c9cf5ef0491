import type { OutboundCall } from './hub-message.js';

/** How calls to clients are written. There is one object of each protocol in the process. */
export interface HubProtocol {
  /** `'aspnet'`, `'json'` or `'messagepack'`. */
  readonly name: string;
  /** Throws `HUB_CANNOT_ENCODE`. */
  encodeCall(call: OutboundCall): Uint8Array;
}

/** How messages travel on one kind of transport. One object per kind: finished frames are kept by it. */
export interface Framing {
  readonly protocol: HubProtocol;
  /** Joins encoded messages, the place behind them and, where there is a new one, the groups token. */
  frame(messages: readonly Uint8Array[], cursor: string, groupsToken: string | undefined): Uint8Array;
}

/** One call to clients in its encoded forms: what the log keeps. */
export interface EncodedMessage {
  /** Bytes of all forms together. */
  readonly sizeBytes: number;
  /** `undefined` if the protocol was not in use when the message was published. */
  encoded(protocol: HubProtocol): Uint8Array | undefined;
  /** The message alone in a frame, made once for all connections at this place. */
  frame(framing: Framing, cursor: string): Uint8Array | undefined;
}
