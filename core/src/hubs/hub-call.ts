import type { CallerGroups } from './caller-groups.js';
import type { CallerClients, ClientContract } from './clients.js';
import type { HubCallerContext } from './hub-caller-context.js';
import { CallerSenderClients } from './hub-clients.js';
import type { HubDescriptor } from './hub-descriptor.js';
import { CallerChangerGroups } from './hub-groups.js';
import type { GroupChanger, HubSender } from './hub-sender.js';
import { type Hub, type HubBinding, setBinding } from './hub.js';

/** The event or call that an instance of a hub serves. */
export interface HubCall {
  readonly descriptor: HubDescriptor;
  readonly sender: HubSender<HubCallerContext>;
  readonly groups: GroupChanger<HubCallerContext>;
  readonly context: HubCallerContext;
}

/** Makes what a hub asks for when it does: most calls need neither clients nor groups. */
class CallBinding implements HubBinding {
  readonly context: HubCallerContext;
  private madeClients: CallerClients<ClientContract> | undefined = undefined;
  private madeGroups: CallerGroups | undefined = undefined;

  constructor(private readonly call: HubCall) {
    this.context = call.context;
  }

  get clients(): CallerClients<ClientContract> {
    const { descriptor, sender, context } = this.call;
    return (this.madeClients ??= new CallerSenderClients(descriptor, sender, context));
  }

  get groups(): CallerGroups {
    const { descriptor, groups, context } = this.call;
    return (this.madeGroups ??= new CallerChangerGroups(descriptor, groups, context));
  }
}

/** Binds an instance of a hub to the call that it serves. Until then its members throw `HUB_NO_CALL`. */
export function bindHub(hub: Hub, call: HubCall): void {
  setBinding(hub, new CallBinding(call));
}
