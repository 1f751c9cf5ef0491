import type { HubGroups } from './caller-groups.js';
import type { ClientContract, HubClients } from './clients.js';
import type { HubCallerContext } from './hub-caller-context.js';
import { SenderClients } from './hub-clients.js';
import type { HubDescriptor } from './hub-descriptor.js';
import { ChangerGroups } from './hub-groups.js';
import type { GroupChanger, HubSender } from './hub-sender.js';

/**
 * A hub, as seen from outside a call: `server.hub(ChatHub)`.
 *
 * @example
 * ```ts
 * import type { HubHandle } from '@hubline/core';
 *
 * interface ChatClient {
 *   message(room: string, text: string): void;
 * }
 *
 * export async function welcome(chat: HubHandle<ChatClient>, connectionId: string): Promise<void> {
 *   await chat.groups.add('lobby', { connectionId });
 *   await chat.clients.group('lobby').message('lobby', 'Somebody is here.');
 * }
 * ```
 */
export interface HubHandle<Client extends ClientContract> {
  readonly clients: HubClients<Client>;
  readonly groups: HubGroups;
}

/** A handle that sends through a sender, and changes memberships through a changer. */
export class DescribedHubHandle<Client extends ClientContract> implements HubHandle<Client> {
  readonly clients: HubClients<Client>;
  readonly groups: HubGroups;

  constructor(descriptor: HubDescriptor, sender: HubSender<HubCallerContext>, changer: GroupChanger<HubCallerContext>) {
    this.clients = new SenderClients<Client>(descriptor, sender, undefined);
    this.groups = new ChangerGroups(descriptor, changer);
  }
}
