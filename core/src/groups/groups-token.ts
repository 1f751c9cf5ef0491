import type { DataProtector } from '../security/key-ring.js';

const purpose = 'groups-token';

/** What a groups token says. */
export interface GroupsClaim {
  readonly connectionId: string;
  readonly userId: string;
  /** When it was issued, as {@link Revocations.stamp} counts. */
  readonly issuedAt: number;
  /** The log's place when it was issued, as the message bus writes it. */
  readonly position: string;
  /** Groups by the hub's key; `undefined` if there were too many to be named. */
  readonly groups: Readonly<Record<string, readonly string[]>> | undefined;
}

/** Seals a groups token; one that would be too long for a URL names no groups, only that there were too many. */
export function sealGroupsToken(
  protector: DataProtector,
  claim: GroupsClaim,
  maxBytes: number,
): { readonly token: string; readonly tooMany: boolean } {
  const { connectionId, userId, issuedAt, position, groups } = claim;
  const token = protector.protect(purpose, JSON.stringify([connectionId, userId, issuedAt, position, groups]));
  if (token.length <= maxBytes || groups === undefined) return { token, tooMany: false };
  return { token: sealGroupsToken(protector, { ...claim, groups: undefined }, maxBytes).token, tooMany: true };
}

/** Opens a groups token; `undefined` if this server did not make it for this purpose. */
export function openGroupsToken(protector: DataProtector, token: string): GroupsClaim | undefined {
  const text = protector.unprotect(purpose, token);
  if (text === undefined) return undefined;
  const [connectionId, userId, issuedAt, position, groups] = JSON.parse(text) as [
    string,
    string,
    number,
    string,
    Readonly<Record<string, readonly string[]>> | null,
  ];
  return { connectionId, userId, issuedAt, position, groups: groups ?? undefined };
}
