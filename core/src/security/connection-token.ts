import type { DataProtector } from './key-ring.js';

const purpose = 'connection-token';

/** What a connection token says: whose connection it is, and before what place nothing is ever replayed to it. */
export interface ConnectionClaim {
  readonly connectionId: string;
  readonly userId: string;
  /** The log's place when the token was made, as the message bus writes it. */
  readonly position: string;
}

/** Seals a connection token. It is made once, when the connection is negotiated. */
export function sealConnectionToken(protector: DataProtector, claim: ConnectionClaim): string {
  return protector.protect(purpose, JSON.stringify([claim.connectionId, claim.userId, claim.position]));
}

/** Opens a connection token; `undefined` if this server did not make it for this purpose. */
export function openConnectionToken(protector: DataProtector, token: string): ConnectionClaim | undefined {
  const text = protector.unprotect(purpose, token);
  if (text === undefined) return undefined;
  const [connectionId, userId, position] = JSON.parse(text) as [string, string, string];
  return { connectionId, userId, position };
}
