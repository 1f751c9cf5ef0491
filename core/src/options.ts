import { hubError } from './errors.js';

/** Every limit and time of the server, with its default. Times are in milliseconds, sizes in bytes. */
export const defaults = {
  /** How long a lost classic connection is held for its client to come back. */
  disconnectTimeoutMs: 30_000,
  /** How often a classic connection is sent a keep-alive. */
  keepAliveMs: 10_000,
  /** How long classic clients wait for the first message of a transport. */
  transportConnectTimeoutMs: 5_000,
  /** How often an ASP.NET Core connection is sent a ping. */
  pingMs: 15_000,
  /** How long an ASP.NET Core client that has pinged once may be silent. */
  clientTimeoutMs: 30_000,
  /** How long an ASP.NET Core client may take for its handshake. */
  handshakeTimeoutMs: 15_000,
  /** How long a negotiated ASP.NET Core connection may take to open its transport. */
  negotiationTimeoutMs: 15_000,
  /** How many ASP.NET Core connections may be negotiated and not yet open. */
  maxNegotiationsWaiting: 10_000,
  /** How many connections the server holds, those that are away included. */
  maxConnections: 100_000,
  /** The largest message that a classic client may send. */
  maxClassicMessageBytes: 65_536,
  /** The largest message that an ASP.NET Core client may send; also the largest handshake. */
  maxCoreMessageBytes: 32_768,
  /** The largest state that a classic call may carry, in characters of JSON. */
  maxStateLength: 4_096,
  /** How deep the JSON of a message may be nested. */
  maxJsonDepth: 64,
  /** How many calls of one connection may run or wait; above, its socket is not read. */
  maxCallsInFlight: 64,
  /** How many calls of one ASP.NET Core connection run beside each other. */
  maxParallelCalls: 1,
  /** How many hubs a classic connection may list. */
  maxHubsPerConnection: 100,
  /** How many groups a connection may be in. */
  maxGroupsPerConnection: 10_000,
  /** The longest name of a group, in UTF-16 units. */
  maxGroupNameLength: 4_096,
  /** The longest groups token; it travels in a URL. */
  maxGroupsTokenBytes: 4_096,
  /** How long a groups token is good for. */
  groupsTokenLifetimeMs: 3_600_000,
  /** How long messages are kept for connections that are away. */
  logAgeMs: 100_000,
  /** How many bytes of messages are kept for connections that are away. */
  logBytes: 64 * 1024 * 1024,
  /** How long `authorizeConnect` may take. */
  authorizeDeadlineMs: 3_000,
  /** How long `rejoiningGroups` and `reconnect` may take, each. */
  rejoinDeadlineMs: 5_000,
} as const;

/** Every limit and time of the server. */
export type Limits = { readonly [Name in keyof typeof defaults]: number };

/** Fills up what is missing; refuses unknown names and values that are not finite and positive. */
export function resolveLimits(given: { readonly [Name in keyof Limits]?: number | undefined }): Limits {
  for (const [option, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, option))
      throw hubError('HUB_OPTION_UNKNOWN', { option, known: Object.keys(defaults).join(', ') });
    if (value !== undefined && !(Number.isFinite(value) && value > 0))
      throw hubError('HUB_OPTION_INVALID', { option, expected: 'a finite number above 0' });
  }
  const chosen = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...(Object.fromEntries(chosen) as Partial<Limits>) };
}
