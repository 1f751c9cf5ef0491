import { isPromise, type Awaitable } from '../awaitable.js';
import type { ConnectionRecord } from '../connections/connection-record.js';
import { hubError } from '../errors.js';
import type { RevokedMember } from '../groups/revocations.js';
import type { HubCallerContext } from '../hubs/hub-caller-context.js';
import type { HubDescriptor } from '../hubs/hub-descriptor.js';
import type { GroupChanger } from '../hubs/hub-sender.js';
import { groupTopic } from '../messaging/topic-name.js';
import type { DispatcherGround } from './dispatcher-ground.js';

/** Joins, leaves and revokes. */
export class GroupChanges implements GroupChanger<HubCallerContext> {
  constructor(private readonly ground: DispatcherGround) {}

  /** Throws `HUB_GROUP_NAME_INVALID` or `HUB_TOO_MANY_GROUPS`. */
  join(
    hub: HubDescriptor,
    connectionId: string,
    group: string,
    call: HubCallerContext | undefined,
  ): Awaitable<'joined' | 'gone'> {
    this.checkName(group);
    const record = this.recordOf(hub, connectionId, call);
    if (record === undefined) return 'gone';
    const joined = record.memberships.join(hub.key, group);
    record.revokedAway.delete(groupTopic(hub.key, group));
    const done = (): 'joined' | 'gone' => {
      record.groupsChanged();
      return record.state === 'ended' ? 'gone' : 'joined';
    };
    return isPromise<void>(joined) ? joined.then(done) : done();
  }

  /** Throws `HUB_GROUP_NAME_INVALID`. */
  leave(
    hub: HubDescriptor,
    connectionId: string,
    group: string,
    call: HubCallerContext | undefined,
  ): Awaitable<'left' | 'gone'> {
    this.checkName(group);
    const record = this.recordOf(hub, connectionId, call);
    if (record === undefined) return 'gone';
    if (record.memberships.leave(hub.key, group)) record.groupsChanged();
    return 'left';
  }

  unseen(hub: HubDescriptor, cause: unknown): void {
    const error = hubError('HUB_GROUP_CHANGE_FAILED', { hub: hub.name }, cause);
    this.ground.logger.warn({ error, hub: hub.name }, 'A change of groups failed that nobody waited for.');
  }

  /** Takes a membership away for good: from what is held now, whatever its state, and from every token out there. */
  revoke(hub: HubDescriptor, group: string, member: RevokedMember): void {
    this.checkName(group);
    this.ground.revocations.add(hub.key, group, member);
    for (const record of this.recordsOf(member)) {
      const wasIn = record.memberships.leave(hub.key, group);
      if (wasIn && (record.state === 'waiting' || record.state === 'resuming'))
        record.revokedAway.add(groupTopic(hub.key, group));
      if (wasIn) record.groupsChanged();
    }
  }

  /** A caller whose life has ended must not change the groups of a new life under its id. */
  private recordOf(
    hub: HubDescriptor,
    connectionId: string,
    call: HubCallerContext | undefined,
  ): ConnectionRecord | undefined {
    const isCaller = call?.connectionId === connectionId;
    const record = isCaller ? (call.connection as ConnectionRecord) : this.ground.registry.find(connectionId);
    // For a hub that was refused on a resume the connection is over.
    return record?.state === 'ended' || record?.hubs.get(hub.key)?.refused === true ? undefined : record;
  }

  private recordsOf(member: RevokedMember): Iterable<ConnectionRecord> {
    if ('user' in member) return this.ground.registry.ofUser(member.user);
    const record = this.ground.registry.find(member.connectionId);
    return record === undefined ? [] : [record];
  }

  private checkName(group: string): void {
    const { maxGroupNameLength } = this.ground.limits;
    if (group.length > maxGroupNameLength)
      throw hubError('HUB_GROUP_NAME_INVALID', { why: `it is longer than ${maxGroupNameLength} characters` });
  }
}
