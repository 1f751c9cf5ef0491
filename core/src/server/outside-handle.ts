import { andThen, isPromise, type Awaitable } from '../awaitable.js';
import type { Sends } from '../dispatcher/sends.js';
import type { HubGroups } from '../hubs/caller-groups.js';
import type { ClientContract, HubClients } from '../hubs/clients.js';
import type { HubCallerContext } from '../hubs/hub-caller-context.js';
import type { HubDescriptor } from '../hubs/hub-descriptor.js';
import { DescribedHubHandle, type HubHandle } from '../hubs/hub-handle.js';
import type { GroupChanger, HubSender, SendTarget } from '../hubs/hub-sender.js';

/** A hub's handle whose first use starts the server. */
export class OutsideHandle
  implements HubHandle<ClientContract>, HubSender<HubCallerContext>, GroupChanger<HubCallerContext>
{
  readonly clients: HubClients<ClientContract>;
  readonly groups: HubGroups;
  /** Sends that wait for the start; those that come meanwhile stand behind them. */
  private waiting = 0;

  constructor(
    hub: HubDescriptor,
    private readonly sender: Sends,
    private readonly changer: GroupChanger<HubCallerContext>,
    private readonly start: () => Awaitable<void>,
  ) {
    const { clients, groups } = new DescribedHubHandle<ClientContract>(hub, this, this);
    this.clients = clients;
    this.groups = groups;
  }

  send(
    hub: HubDescriptor,
    target: SendTarget,
    method: string,
    args: readonly unknown[],
    call: HubCallerContext | undefined,
  ): Promise<void> {
    const starting = this.start();
    if (!isPromise<void>(starting) && this.waiting === 0) return this.sender.send(hub, target, method, args, call);
    this.waiting++;
    const ready = Promise.resolve(starting);
    const sent = this.sender.sendAfter(ready, hub, target, method, args);
    const done = (): void => {
      this.waiting--;
    };
    ready.then(done, done);
    return sent;
  }

  join(hub: HubDescriptor, connectionId: string, group: string): Awaitable<'joined' | 'gone'> {
    return andThen(this.start(), () => this.changer.join(hub, connectionId, group, undefined));
  }

  leave(hub: HubDescriptor, connectionId: string, group: string): Awaitable<'left' | 'gone'> {
    return andThen(this.start(), () => this.changer.leave(hub, connectionId, group, undefined));
  }

  unseen(hub: HubDescriptor, error: unknown): void {
    this.changer.unseen(hub, error);
  }
}
