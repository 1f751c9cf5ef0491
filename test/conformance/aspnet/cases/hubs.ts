import { createUser, Hub, hub, HubException, hubMethod, type AuthenticationRequest, type User } from '@hubline/core';

interface RoomsClient {
  message(room: string, text: string): void;
  note(value: unknown): void;
}

/** A hub with one of everything that a classic client can be told. */
@hub('rooms')
export class RoomsHub extends Hub<RoomsClient> {
  @hubMethod() echo(value: unknown) {
    return value;
  }

  @hubMethod() nothing(): void {
    // A call without a result.
  }

  @hubMethod() fail(): void {
    throw new Error('a secret of the server');
  }

  @hubMethod() refuse(): void {
    throw new HubException('The room is full.', { max: 10 });
  }

  @hubMethod() count(to: number) {
    for (let n = 1; n <= to; n++) this.context.progress(n);
    return 'done';
  }

  /** Answers what the caller's state was, and changes it. */
  @hubMethod() async rename(nick: string) {
    const { state } = this.context;
    const before = { ...state };
    state.nick = nick;
    await this.clients.caller.note('renamed');
    return before;
  }

  @hubMethod() async noteThenAnswer(count: number) {
    for (let n = 1; n <= count; n++) await this.clients.caller.note(n);
    return 'answered';
  }

  /** Answers only when the test lets it; see `Gates`. */
  @hubMethod() gated(name: string) {
    return name;
  }

  @hubMethod() async join(room: string) {
    await this.groups.add(room);
  }

  @hubMethod() async leave(room: string) {
    await this.groups.remove(room);
  }

  @hubMethod() async joinOther(room: string, connectionId: string) {
    return this.groups.add(room, { connectionId });
  }

  @hubMethod() async say(room: string, text: string) {
    await this.clients.group(room).message(room, text);
  }

  @hubMethod() async sayBut(room: string, text: string, except: string) {
    await this.clients.group(room, { except }).message(room, text);
  }

  @hubMethod() async sayToOthers(room: string, text: string) {
    await this.clients.othersInGroup(room).message(room, text);
  }

  @hubMethod() async tell(target: string, names: readonly string[], value: unknown) {
    await this.targetOf(target, names).note(value);
  }

  @hubMethod() leaveForGood(): void {
    this.context.abort();
  }

  private targetOf(target: string, names: readonly string[]) {
    const [first = ''] = names;
    switch (target) {
      case 'all':
        return this.clients.all;
      case 'others':
        return this.clients.others;
      case 'caller':
        return this.clients.caller;
      case 'allExcept':
        return this.clients.allExcept(names);
      case 'client':
        return this.clients.client(first);
      case 'clients':
        return this.clients.clients(names);
      case 'user':
        return this.clients.user(first);
      case 'users':
        return this.clients.users(names);
      default:
        throw new HubException(`No target '${target}'.`);
    }
  }
}

interface NewsClient {
  headline(text: string): void;
}

/** A second hub, for connections that list two, or that do not list it. */
@hub('news')
export class NewsHub extends Hub<NewsClient> {
  @hubMethod() async follow(topic: string) {
    await this.groups.add(topic);
  }

  @hubMethod() async publish(topic: string, text: string) {
    await this.clients.group(topic).headline(text);
  }

  @hubMethod() async publishToAll(text: string) {
    await this.clients.all.headline(text);
  }
}

/** Who `?user=` says. */
export function userOfQuery({ query }: AuthenticationRequest): User | undefined {
  const id = query.get('user');
  return id === null ? undefined : createUser({ id });
}

/** What all tests of this folder start from. */
export const basics = { hubs: [RoomsHub, NewsHub], authenticate: userOfQuery } as const;
