import type { Awaitable } from '../awaitable.js';
import type { HubDescriptor } from './hub-descriptor.js';

/**
 * Who gets a message: everybody of the hub, or the named connections, users or groups. Modules see it as
 * `context.target` in the stage `send`.
 */
export interface SendTarget {
  readonly kind: 'all' | 'connections' | 'users' | 'groups';
  /** Empty for `all`. */
  readonly names: readonly string[];
  /** Ids of connections that get nothing. */
  readonly except: readonly string[];
}

/** Sends to clients; the dispatcher is one. `call` is the event that the send belongs to, if there is one. */
export interface HubSender<Call = unknown> {
  send(
    hub: HubDescriptor,
    target: SendTarget,
    method: string,
    args: readonly unknown[],
    call: Call | undefined,
  ): Promise<void>;
}

/** Changes memberships; the dispatcher is one. `call` is the event that the change belongs to, if there is one. */
export interface GroupChanger<Call = unknown> {
  join(hub: HubDescriptor, connectionId: string, group: string, call: Call | undefined): Awaitable<'joined' | 'gone'>;
  leave(hub: HubDescriptor, connectionId: string, group: string, call: Call | undefined): Awaitable<'left' | 'gone'>;
  /** A change has failed, and nobody waited for it. */
  unseen(hub: HubDescriptor, error: unknown): void;
}
