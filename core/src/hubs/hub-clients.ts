import { hubError } from '../errors.js';
import { clientProxy } from './client-proxy.js';
import type { CallerClients, ClientContract, GroupTargetOptions, HubClients, Sends, SingleClient } from './clients.js';
import type { HubCallerContext } from './hub-caller-context.js';
import type { HubDescriptor } from './hub-descriptor.js';
import type { HubSender, SendTarget } from './hub-sender.js';

const nobody: readonly string[] = Object.freeze([]);
const everybody: SendTarget = Object.freeze({ kind: 'all', names: nobody, except: nobody });

/** The clients of a hub, through a sender. */
export class SenderClients<Client extends ClientContract> implements HubClients<Client> {
  constructor(
    protected readonly hub: HubDescriptor,
    protected readonly sender: HubSender<HubCallerContext>,
    protected readonly call: HubCallerContext | undefined,
  ) {}

  get all(): Sends<Client> {
    return this.to(everybody);
  }

  allExcept(connectionIds: string | readonly string[]): Sends<Client> {
    return this.to({ kind: 'all', names: nobody, except: oneOrMore(connectionIds) });
  }

  client(connectionId: string): SingleClient<Client> {
    return this.to({ kind: 'connections', names: [named('connection', connectionId)], except: nobody });
  }

  clients(connectionIds: readonly string[]): Sends<Client> {
    return this.to({ kind: 'connections', names: allNamed('connection', connectionIds), except: nobody });
  }

  group(name: string, options?: GroupTargetOptions): Sends<Client> {
    return this.to({ kind: 'groups', names: [named('group', name)], except: exceptOf(options) });
  }

  groups(names: readonly string[], options?: GroupTargetOptions): Sends<Client> {
    return this.to({ kind: 'groups', names: allNamed('group', names), except: exceptOf(options) });
  }

  user(id: string): Sends<Client> {
    return this.to({ kind: 'users', names: [named('user', id)], except: nobody });
  }

  users(ids: readonly string[]): Sends<Client> {
    return this.to({ kind: 'users', names: allNamed('user', ids), except: nobody });
  }

  protected to(target: SendTarget): Sends<Client> {
    return clientProxy<Sends<Client>>(this.sender, this.hub, target, this.call);
  }
}

/** The clients of a hub as its caller sees them, through a sender. */
export class CallerSenderClients<Client extends ClientContract>
  extends SenderClients<Client>
  implements CallerClients<Client>
{
  private readonly callerId: string;

  constructor(hub: HubDescriptor, sender: HubSender<HubCallerContext>, call: HubCallerContext) {
    super(hub, sender, call);
    this.callerId = call.connectionId;
  }

  get caller(): SingleClient<Client> {
    return this.to({ kind: 'connections', names: [this.callerId], except: nobody });
  }

  get others(): Sends<Client> {
    return this.to({ kind: 'all', names: nobody, except: [this.callerId] });
  }

  othersInGroup(name: string): Sends<Client> {
    return this.to({ kind: 'groups', names: [named('group', name)], except: [this.callerId] });
  }

  othersInGroups(names: readonly string[]): Sends<Client> {
    return this.to({ kind: 'groups', names: allNamed('group', names), except: [this.callerId] });
  }
}

type NamedKind = 'connection' | 'group' | 'user';

/** The name, if it is one; throws `HUB_TARGET_INVALID` if not. */
export function named(kind: NamedKind, name: unknown): string {
  if (typeof name !== 'string' || name === '') throw hubError('HUB_TARGET_INVALID', { kind });
  return name;
}

/** A copy: the send may wait for a module, and the list is the application's. */
function allNamed(kind: NamedKind, names: readonly unknown[]): readonly string[] {
  // A text is a list of its letters to whoever iterates it; forgotten brackets must not address those.
  if (!Array.isArray(names)) throw hubError('HUB_TARGET_INVALID', { kind });
  return names.map((name: unknown) => named(kind, name));
}

function oneOrMore(connectionIds: string | readonly string[]): readonly string[] {
  return typeof connectionIds === 'string'
    ? [named('connection', connectionIds)]
    : allNamed('connection', connectionIds);
}

function exceptOf(options: GroupTargetOptions | undefined): readonly string[] {
  return options?.except === undefined ? nobody : oneOrMore(options.except);
}
