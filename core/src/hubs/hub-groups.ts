import { hubError } from '../errors.js';
import { watched } from '../watched-failure.js';
import type { CallerGroups, HubGroups } from './caller-groups.js';
import { named } from './hub-clients.js';
import type { HubCallerContext } from './hub-caller-context.js';
import type { HubDescriptor } from './hub-descriptor.js';
import type { GroupChanger } from './hub-sender.js';

/** The groups of a hub, through a changer of memberships. */
export class ChangerGroups implements HubGroups {
  constructor(
    private readonly hub: HubDescriptor,
    private readonly changer: GroupChanger<HubCallerContext>,
  ) {}

  add(group: string, member: { readonly connectionId: string }): Promise<'joined' | 'gone'> {
    return watched(
      () => this.changer.join(this.hub, named('connection', member?.connectionId), groupNamed(group), undefined),
      (error) => this.changer.unseen(this.hub, error),
    );
  }

  remove(group: string, member: { readonly connectionId: string }): Promise<'left' | 'gone'> {
    return watched(
      () => this.changer.leave(this.hub, named('connection', member?.connectionId), groupNamed(group), undefined),
      (error) => this.changer.unseen(this.hub, error),
    );
  }
}

/** The groups of a hub as its caller sees them, through a changer of memberships. */
export class CallerChangerGroups implements CallerGroups {
  constructor(
    private readonly hub: HubDescriptor,
    private readonly changer: GroupChanger<HubCallerContext>,
    private readonly call: HubCallerContext,
  ) {}

  add(group: string, options?: { readonly connectionId?: string }): Promise<'joined' | 'gone'> {
    return watched(
      () => this.changer.join(this.hub, this.memberOf(options), groupNamed(group), this.call),
      (error) => this.changer.unseen(this.hub, error),
    );
  }

  remove(group: string, options?: { readonly connectionId?: string }): Promise<'left' | 'gone'> {
    return watched(
      () => this.changer.leave(this.hub, this.memberOf(options), groupNamed(group), this.call),
      (error) => this.changer.unseen(this.hub, error),
    );
  }

  /** A `connectionId` that was meant to be there and is `undefined` must not put the caller into the group. */
  private memberOf(options: { readonly connectionId?: string } | undefined): string {
    if (options === undefined || !('connectionId' in options)) return this.call.connectionId;
    return named('connection', options.connectionId);
  }
}

function groupNamed(group: unknown): string {
  if (typeof group !== 'string') throw hubError('HUB_GROUP_NAME_INVALID', { why: 'it is not a text' });
  if (group === '') throw hubError('HUB_GROUP_NAME_INVALID', { why: 'it is empty' });
  return group;
}
