import type { Framing } from './hub-protocol.js';

/** Why a transport is ended. `replaced` says that the connection lives on elsewhere. */
export type TransportEnding =
  | { readonly kind: 'replaced' }
  | { readonly kind: 'lost' }
  | {
      readonly kind: 'ended';
      readonly reason: string;
      /** What the client may be told. */
      readonly message?: string | undefined;
      readonly allowReconnect: boolean;
    };

interface AnyTransport {
  /** `'webSockets'`, `'serverSentEvents'` or `'longPolling'`. */
  readonly name: string;
  readonly framing: Framing;
  /** Stops reading from the peer, or goes on. */
  pause(paused: boolean): void;
  end(ending: TransportEnding): void;
}

/** A transport that takes frames as long as it lives. */
export interface LiveTransport extends AnyTransport {
  readonly live: true;
  write(frame: Uint8Array | string): void;
}

/** A transport that takes one batch, and is over. */
export interface BatchTransport extends AnyTransport {
  readonly live: false;
  writeBatch(messages: readonly Uint8Array[], cursor: string, groupsToken: string | undefined): void;
}

/** What carries a connection now. */
export type Transport = LiveTransport | BatchTransport;
