/**
 * Changes the groups of a connection from inside a call: `this.groups` in a hub.
 *
 * `'gone'` means that nobody has that connection (any more), and nothing was changed. Both methods can be repeated
 * without harm, and resolve when a message sent next to the group does, or no longer does, reach the connection. They
 * reject with `HUB_GROUP_NAME_INVALID` if the group's name is empty or no text, and with `HUB_TARGET_INVALID` if a
 * `connectionId` is given that is empty or no text.
 *
 * @example
 * ```ts
 * import { hub, Hub, hubMethod } from '@hubline/core';
 *
 * @hub('rooms')
 * export class RoomsHub extends Hub {
 *   @hubMethod() async join(room: string): Promise<void> {
 *     await this.groups.add(room);
 *   }
 *
 *   @hubMethod() async expel(room: string, connectionId: string): Promise<boolean> {
 *     return (await this.groups.remove(room, { connectionId })) === 'left';
 *   }
 * }
 * ```
 */
export interface CallerGroups {
  /** Adds the caller, or the connection that is named, to a group. Names of groups are matched exactly. */
  add(group: string, options?: { readonly connectionId?: string }): Promise<'joined' | 'gone'>;
  /** Takes the caller, or the connection that is named, out of a group. */
  remove(group: string, options?: { readonly connectionId?: string }): Promise<'left' | 'gone'>;
}

/**
 * Changes the groups of a connection from outside a call: `server.hub(ChatHub).groups`. It answers and rejects as
 * {@link CallerGroups} does.
 *
 * @example
 * ```ts
 * import type { HubGroups } from '@hubline/core';
 *
 * export async function move(groups: HubGroups, connectionId: string, from: string, to: string): Promise<void> {
 *   await groups.add(to, { connectionId });
 *   await groups.remove(from, { connectionId });
 * }
 * ```
 */
export interface HubGroups {
  /** Adds a connection to a group. Names of groups are matched exactly. */
  add(group: string, member: { readonly connectionId: string }): Promise<'joined' | 'gone'>;
  /** Takes a connection out of a group. */
  remove(group: string, member: { readonly connectionId: string }): Promise<'left' | 'gone'>;
}
