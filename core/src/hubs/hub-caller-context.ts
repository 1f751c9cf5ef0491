import type { Clock } from '../clock.js';
import type { Connection, ConnectionRequest } from '../connections/connection.js';
import type { Logger } from '../logger.js';
import type { User } from '../security/user.js';

/**
 * The event or call that a hub serves: `this.context` in a hub. Once that has ended, `progress` and `state` throw
 * `HUB_CALL_ENDED`.
 *
 * @example
 * ```ts
 * import { hub, Hub, hubMethod } from '@hubline/core';
 *
 * @hub('files')
 * export class FilesHub extends Hub {
 *   @hubMethod() async copy(names: readonly string[]): Promise<number> {
 *     for (const [index, name] of names.entries()) {
 *       if (this.context.signal.aborted) return index;
 *       this.context.logger.info({ name }, 'copied');
 *       this.context.progress(index + 1);
 *     }
 *     return names.length;
 *   }
 * }
 * ```
 */
export interface HubCallerContext {
  /** The public id of the caller's connection: `connection.id`. */
  readonly connectionId: string;
  readonly connection: Connection;
  /** The request of the caller's transport. */
  readonly request: ConnectionRequest;
  readonly user: User;
  /** Whatever hubs and modules keep with the connection: `connection.items`. */
  readonly items: Map<unknown, unknown>;
  /** The state of a classic caller's proxy; what is written to it goes back with the answer. Else empty. */
  readonly state: Record<string, unknown>;
  /** Aborted when the connection ends. */
  readonly signal: AbortSignal;
  /** Where to ask for the time. */
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the caller's connection. */
  abort(): void;
  /** Tells a classic caller how far its call is; other clients are told nothing. */
  progress(value: unknown): void;
}
