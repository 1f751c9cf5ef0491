import type { Awaitable } from '../awaitable.js';
import type { DisconnectReason, Resume } from '../connections/connection.js';
import { hubError } from '../errors.js';
import type { User } from '../security/user.js';
import type { CallerGroups } from './caller-groups.js';
import type { CallerClients, ClientContract, UndeclaredClient } from './clients.js';
import type { HubCallerContext } from './hub-caller-context.js';

// A symbol of the whole process, so that a hub of one copy of this package can be bound by another.
const binding: unique symbol = Symbol.for('hubline.binding') as never;

/** What an instance of a hub is bound to; its members come from there. */
export interface HubBinding {
  readonly clients: CallerClients<ClientContract>;
  readonly groups: CallerGroups;
  readonly context: HubCallerContext;
}

/**
 * The base of every hub. A new instance serves each event and each call, and is released after it.
 *
 * `Client` is what the hub may call on its clients. `clients`, `groups`, `user` and `context` are there from the first
 * event or call on; in the constructor they throw `HUB_NO_CALL`. The members of this class are names that no hub
 * method can have.
 *
 * @example
 * ```ts
 * import { hub, Hub, hubMethod } from '@hubline/core';
 *
 * interface ChatClient {
 *   message(room: string, from: string, text: string): void;
 * }
 *
 * @hub('chat')
 * export class ChatHub extends Hub<ChatClient> {
 *   override async onConnected(): Promise<void> {
 *     await this.groups.add('lobby');
 *   }
 *
 *   @hubMethod() say(text: string) {
 *     return this.clients.group('lobby').message('lobby', this.user.name, text);
 *   }
 * }
 * ```
 *
 * @see {@link hub} and {@link hubMethod}, which say what clients can call.
 */
export abstract class Hub<Client extends ClientContract = UndeclaredClient> {
  /** The clients of this hub, from the caller's point of view. */
  get clients(): CallerClients<Client> {
    return bindingOf(this, 'clients').clients as CallerClients<Client>;
  }

  /** The groups of this hub. */
  get groups(): CallerGroups {
    return bindingOf(this, 'groups').groups;
  }

  /** Who calls; anonymous users are there too, with an empty id. */
  get user(): User {
    return bindingOf(this, 'user').context.user;
  }

  /** The event or call that this instance serves. */
  get context(): HubCallerContext {
    return bindingOf(this, 'context').context;
  }

  /** A connection is there. Runs once in its life; if it throws, the connection is refused. */
  onConnected(): Awaitable<void> {}

  /** A known client has come back, or one that nobody here remembers. If it throws, the resume is refused. */
  onReconnected(_resume: Resume): Awaitable<void> {}

  /** A connection has ended. Runs once, if `onConnected` or `onReconnected` had completed. */
  onDisconnected(_reason: DisconnectReason): Awaitable<void> {}
}

// The property is not declared in the class: a private one would make hubs of two copies of this package strangers.
interface Bindable {
  [binding]?: HubBinding;
}

function bindingOf(hub: object, member: string): HubBinding {
  const bound = (hub as Bindable)[binding];
  if (bound === undefined) throw hubError('HUB_NO_CALL', { member });
  return bound;
}

/** Gives an instance what its members come from. */
export function setBinding(hub: Hub, bound: HubBinding): void {
  (hub as Bindable)[binding] = bound;
}
