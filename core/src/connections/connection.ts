import type { IncomingHttpHeaders } from 'node:http';
import type { User } from '../security/user.js';

/** The request that opened, resumed or carries a connection. Its URL is not here: it holds the client's secrets. */
export interface ConnectionRequest {
  readonly method: string;
  /** The path, without the query. */
  readonly path: string;
  /** The query as the client sent it, without the members of the protocol (tokens and cursors are never here). */
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string | undefined;
}

/**
 * Why a connection has ended, as `disconnect` and `onDisconnected` are told.
 *
 * - `client`: the client stopped
 * - `timeout`: it was lost, silent or away for too long
 * - `kicked`: the server sent it away
 * - `server-stop`: the server stopped
 * - `auth`: it may not be connected any more
 * - `error`: a `connect` or `reconnect` failed, or the client broke the protocol
 */
export type DisconnectReason = 'client' | 'timeout' | 'kicked' | 'server-stop' | 'auth' | 'error';

/**
 * Where a connection is in its life.
 *
 * - `opening`: its first request is here, `connect` has not completed
 * - `connected`: confirmed; it has a transport, or is between two polls
 * - `waiting`: its transport is lost, and it may come back
 * - `resuming`: it has come back, and the stages of that run
 * - `ended`: nothing will come of it any more
 */
export type ConnectionState = 'opening' | 'connected' | 'waiting' | 'resuming' | 'ended';

/**
 * One client's logical connection, as hubs and modules see it. It outlives a transport: the same object is there from
 * the first event to `disconnect`, also after a reconnect. So what a module keeps of it lives in a `WeakMap`.
 *
 * @example
 * ```ts
 * import type { Connection, HubPipelineModule } from '@hubline/core';
 *
 * export function counting(calls = new WeakMap<Connection, number>()): HubPipelineModule {
 *   return {
 *     name: 'counting',
 *     invoke({ connection }, next) {
 *       calls.set(connection, (calls.get(connection) ?? 0) + 1);
 *       return next();
 *     },
 *   };
 * }
 * ```
 */
export interface Connection {
  /** Public: other clients may know it. */
  readonly id: string;
  /** `'aspnet'`, `'json'` or `'messagepack'`. */
  readonly protocol: string;
  /** `'webSockets'`, `'serverSentEvents'` or `'longPolling'`; `undefined` while it has none. */
  readonly transport: string | undefined;
  readonly state: ConnectionState;
  readonly user: User;
  /** The request of the current transport; the last one while there is none. */
  readonly request: ConnectionRequest;
  /** Whatever hubs and modules keep with the connection. */
  readonly items: Map<unknown, unknown>;
  /** Aborted when the connection ends; waiting for a resume does not abort it. */
  readonly signal: AbortSignal;
}

/**
 * What a resume brought back, as `reconnect` and `onReconnected` are told.
 *
 * @example
 * ```ts
 * import { hub, Hub, type Resume } from '@hubline/core';
 *
 * @hub('chat')
 * export class ChatHub extends Hub<{ reload(): void }> {
 *   override async onReconnected(resume: Resume): Promise<void> {
 *     if (!resume.complete) await this.clients.caller.reload();
 *   }
 * }
 * ```
 */
export interface Resume {
  /** Whether every message since the client's last one is there to be replayed. */
  readonly complete: boolean;
  /** Whether nobody here remembered the connection, so that its tokens spoke alone. */
  readonly newLife: boolean;
  /** How long it had no transport; `undefined` in a new life. */
  readonly downForMs: number | undefined;
  /** The groups of this hub that the connection is in again. */
  readonly groups: readonly string[];
  /** The groups that it claimed and did not get, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
}
