import {
  authorize,
  createUser,
  hub,
  Hub,
  HubException,
  hubMethod,
  type AuthenticationRequest,
  type User,
} from '@hubline/core';
import { Recorder } from '../../support/recorder.js';

/** What the hubs call on their clients. */
export interface RoomClient {
  message(text: string): void;
  /** The connection is there, says `onConnected`. */
  welcome(connectionId: string): void;
  /** Everything that was sent before has arrived. */
  mark(): void;
}

export const clientMethods = ['message', 'welcome', 'mark'];

/** Whom `tell` sends to, besides a name or names. */
export type Target =
  | 'all'
  | 'allExcept'
  | 'caller'
  | 'others'
  | 'client'
  | 'clients'
  | 'group'
  | 'groups'
  | 'groupExcept'
  | 'othersInGroup'
  | 'user'
  | 'users';

/** The hub of most cases. */
@hub('rooms')
export class RoomsHub extends Hub<RoomClient> {
  override async onConnected() {
    for (const room of this.context.request.query.getAll('room')) await this.groups.add(room);
    await this.clients.caller.welcome(this.context.connectionId);
  }

  @hubMethod() add(a: number, b: number) {
    return a + b;
  }

  @hubMethod() echo(value: unknown) {
    return value;
  }

  @hubMethod() nothing() {}

  @hubMethod() fail() {
    throw new TypeError('The database is at 10.0.0.7.');
  }

  @hubMethod() refuse(why: string) {
    throw new HubException(why);
  }

  @hubMethod() whoAmI() {
    const { connectionId, user } = this.context;
    return { connectionId, user: user.id };
  }

  @hubMethod() join(room: string) {
    return this.groups.add(room);
  }

  @hubMethod() leave(room: string) {
    return this.groups.remove(room);
  }

  @hubMethod() async burst(count: number) {
    for (let n = 1; n <= count; n++) void this.clients.caller.message(`${n} of ${count}`);
    return 'all sent';
  }

  @hubMethod() async tell(target: Target, names: readonly string[], text: string) {
    const { clients } = this;
    const [name = '', other = ''] = names;
    const to = {
      all: () => clients.all,
      allExcept: () => clients.allExcept(names),
      caller: () => clients.caller,
      others: () => clients.others,
      client: () => clients.client(name),
      clients: () => clients.clients(names),
      group: () => clients.group(name),
      groups: () => clients.groups(names),
      groupExcept: () => clients.group(name, { except: other }),
      othersInGroup: () => clients.othersInGroup(name),
      user: () => clients.user(name),
      users: () => clients.users(names),
    };
    await to[target]().message(text);
    await clients.all.mark();
  }

  @hubMethod() async *countdown(from: number) {
    for (let n = from; n > 0; n--) yield n;
  }

  @hubMethod() sum(numbers: unknown) {
    return numbers;
  }

  @hubMethod() leaveMe() {
    this.context.abort();
  }

  @authorize({ roles: ['admin'] }) @hubMethod() secret() {
    return 'the secret';
  }
}

/** Writes down when its calls begin and end; each takes a few turns of the event loop. */
@hub('slow')
export class SlowHub extends Hub {
  @hubMethod() async work(name: string) {
    const steps = stepsOf(this.context.items);
    steps.push(`${name} begins`);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    steps.push(`${name} ends`);
  }

  @hubMethod() steps() {
    return stepsOf(this.context.items);
  }
}

function stepsOf(items: Map<unknown, unknown>): string[] {
  const known = items.get('steps') as string[] | undefined;
  if (known !== undefined) return known;
  const steps: string[] = [];
  items.set('steps', steps);
  return steps;
}

/** Only who is an admin may connect. */
@authorize({ roles: ['admin'] })
@hub('ops')
export class OpsHub extends Hub {
  @hubMethod() restart() {
    return 'restarted';
  }
}

/** What `authenticate` has seen of a request. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly hasHeader: boolean;
  readonly token: string | undefined;
  readonly query: string;
}

/** Tokens are a name, or a name and roles, such as `ann:admin`. */
export function authenticator() {
  const seen = new Recorder<SeenRequest>('the requests');
  const authenticate = ({ accessToken, method, path, headers, query }: AuthenticationRequest): User | undefined => {
    const hasHeader = headers.authorization !== undefined;
    seen.add({ method, path, hasHeader, token: accessToken, query: query.toString() });
    if (accessToken === undefined) return undefined;
    const [id = '', ...roles] = accessToken.split(':');
    return createUser({ id, roles });
  };
  return { seen, authenticate };
}
