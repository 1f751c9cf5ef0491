import type { Awaitable } from '../awaitable.js';
import type { Clock } from '../clock.js';
import type { ConnectionRequest } from '../connections/connection.js';
import type { HubActivator } from '../hubs/hub-activator.js';
import type { HubType } from '../hubs/hub-type.js';
import type { Logger } from '../logger.js';
import type { Limits } from '../options.js';
import type { User } from '../security/user.js';

/**
 * A request, as `authenticate` sees it.
 *
 * @example
 * ```ts
 * import { type AuthenticationRequest, createUser, type User } from '@hubline/core';
 *
 * export const authenticate =
 *   (sessions: ReadonlyMap<string, string>) =>
 *   ({ accessToken }: AuthenticationRequest): User | undefined => {
 *     const id = sessions.get(accessToken ?? '');
 *     return id === undefined ? undefined : createUser({ id });
 *   };
 * ```
 */
export interface AuthenticationRequest extends ConnectionRequest {
  /** The bearer token: of the `Authorization` header, else of the query's `access_token` (browsers' WebSockets). */
  readonly accessToken: string | undefined;
}

/** Who else than the server's own pages may connect. */
export interface CorsOptions {
  /** Origins such as `https://app.example`, exactly. */
  readonly origins: readonly string[];
  /** Whether their requests may carry cookies. Default: true. */
  readonly credentials?: boolean | undefined;
}

/**
 * Options of a `HubServer`. Only `hubs` is required. Limits and times are options too, with the defaults of the table in
 * `docs/reference/options.md`.
 *
 * @example
 * ```ts
 * import type { HubServerOptions } from '@hubline/core';
 *
 * export const production = (key: string): Omit<HubServerOptions, 'hubs'> => ({
 *   keys: [key],
 *   cors: { origins: ['https://app.example'] },
 *   disconnectTimeoutMs: 60_000,
 * });
 * ```
 */
export interface HubServerOptions extends Partial<{ readonly [Name in keyof Limits]: number | undefined }> {
  /** The hubs: classes with `@hub`. */
  readonly hubs: readonly HubType[];
  /** Makes hubs. Default: calls `new` without arguments. */
  readonly activator?: HubActivator | undefined;
  /** Says who makes a request; it runs on every one. `undefined` is somebody anonymous, a throw is a 500. */
  readonly authenticate?: ((request: AuthenticationRequest) => Awaitable<User | undefined>) | undefined;
  /** What seals tokens: the newest first, which seals; all open. Default: a random one, and a warning. */
  readonly keys?: readonly (string | Uint8Array)[] | undefined;
  /** Foreign pages that may connect; `'any'` turns the check of `Origin` off. Default: the server's own pages. */
  readonly cors?: CorsOptions | 'any' | undefined;
  /** Whether clients are told what went wrong, beyond what a `HubException` says. Default: false. */
  readonly detailedErrors?: boolean | undefined;
  /** Where the log goes. Default: warnings become process warnings. */
  readonly logger?: Logger | undefined;
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock | undefined;
}
