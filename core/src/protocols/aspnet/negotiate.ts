import { randomUUID } from 'node:crypto';
import type { Limits } from '../../options.js';

/** How long a poll may last at most, in seconds; classic clients are told, whatever their transport. */
const connectionTimeoutSeconds = 110;

/** The versions that are spoken, as numbers of major and minor. */
const lowest = [1, 2] as const;
const highest = [2, 1] as const;

/** The protocol's version that a request asks for, within those that are spoken: `'1.5'`. */
export function protocolVersion(clientProtocol: string | undefined): string {
  const [, major, minor] = /^(\d{1,4})\.(\d{1,4})(?:\.|$)/.exec(clientProtocol ?? '') ?? [];
  if (major === undefined || minor === undefined) return lowest.join('.');
  const asked = [Number(major), Number(minor)] as const;
  if (isBefore(asked, lowest)) return lowest.join('.');
  if (isBefore(highest, asked)) return highest.join('.');
  return asked.join('.');
}

/** Whether a version is at least `major.minor`. */
export function isAtLeast(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number);
  return !isBefore([ownMajor, ownMinor], [major, minor]);
}

/** A new id of a classic connection: a GUID in lower case. */
export const newConnectionId = (): string => randomUUID();

/** The answer to a negotiation. Times are seconds. */
export function negotiation(given: {
  readonly url: string;
  readonly connectionId: string;
  readonly connectionToken: string;
  readonly version: string;
  readonly limits: Limits;
}): object {
  const { limits } = given;
  return {
    Url: given.url,
    ConnectionToken: given.connectionToken,
    ConnectionId: given.connectionId,
    KeepAliveTimeout: (2 * limits.keepAliveMs) / 1_000,
    DisconnectTimeout: limits.disconnectTimeoutMs / 1_000,
    ConnectionTimeout: connectionTimeoutSeconds,
    TryWebSockets: true,
    ProtocolVersion: given.version,
    TransportConnectTimeout: limits.transportConnectTimeoutMs / 1_000,
    LongPollDelay: 0,
  };
}

function isBefore(one: readonly [number, number], other: readonly [number, number]): boolean {
  return one[0] < other[0] || (one[0] === other[0] && one[1] < other[1]);
}
