import { hubError } from '../errors.js';
import type { RevokedMember } from '../groups/revocations.js';
import type { HubType } from '../hubs/hub-type.js';

/** Whose membership of which group is taken away. */
export type Revocation = { readonly hub: HubType | string; readonly group: string } & RevokedMember;

/**
 * Groups, from the server's point of view.
 *
 * @example
 * ```ts
 * import { hub, Hub, HubServer } from '@hubline/core';
 *
 * @hub('chat') class ChatHub extends Hub {}
 *
 * const server = new HubServer({ hubs: [ChatHub] });
 * export const ban = (user: string, group: string): void => server.groups.revoke({ hub: ChatHub, user, group });
 * ```
 */
export interface ServerGroups {
  /**
   * Takes a membership away at once: from connections that are here, from those that are away, and from every groups
   * token that was issued before. After a restart only a store knows of it.
   *
   * Throws `HUB_UNKNOWN`, `HUB_GROUP_NAME_INVALID`, or `HUB_TARGET_INVALID` unless it names one user or one connection.
   */
  revoke(revocation: Revocation): void;
}

/** What was passed may hold more than the compiler knows; exactly one of the two must be there. */
export function memberOf(revocation: object): RevokedMember {
  const { user, connectionId } = revocation as { readonly user?: unknown; readonly connectionId?: unknown };
  if (typeof user === 'string' && user !== '' && connectionId === undefined) return { user };
  if (typeof connectionId === 'string' && connectionId !== '' && user === undefined) return { connectionId };
  throw hubError('HUB_TARGET_INVALID', { kind: 'member to revoke (one user, or one connectionId)' });
}
