import { allOf, isPromise, type Awaitable } from '../awaitable.js';
import { hubError } from '../errors.js';
import type { Position } from '../messaging/position.js';
import { groupTopic } from '../messaging/topic-name.js';

/** That a connection is in a group. */
export interface Membership {
  /** The hub's key. */
  readonly hub: string;
  readonly group: string;
  readonly topic: string;
  /** It holds for messages after this place; `Infinity` while that is not known yet. */
  since: Position;
  /** Settles when `since` is known. */
  ready: Promise<void> | undefined;
}

/** What memberships need of the connection that they belong to. */
export interface TopicHolder {
  readonly head: Position;
  /** Whether the connection has messages of this hub. */
  listensTo(hub: string): boolean;
  /** Tells the place where the topic begins before what it gives has settled; before it returns, if it gives nothing. */
  hold(topic: string, begins: (since: Position) => void): Awaitable<void>;
  release(topic: string): void;
}

/** What happens to memberships while the stages of a resume run. */
interface Rejoin {
  /** Topics that somebody joined, left or revoked meanwhile: that always wins over what the stages say. */
  readonly touched: Set<string>;
  /** What the stages dropped, until they end. */
  readonly aside: Map<string, Membership>;
  readonly added: Set<string>;
}

/** The groups of one connection, of all its hubs. While the connection's record is held, this is the truth. */
export class Memberships {
  /** Whether anything has changed since the last groups token. */
  changed = false;
  private readonly all = new Map<string, Membership>();
  private rejoin: Rejoin | undefined;

  constructor(
    private readonly holder: TopicHolder,
    private readonly limit: number,
  ) {}

  get size(): number {
    return this.all.size;
  }

  [Symbol.iterator](): IterableIterator<Membership> {
    return this.all.values();
  }

  /** The groups of one hub. */
  of(hub: string): string[] {
    const groups: string[] = [];
    for (const membership of this.all.values()) if (membership.hub === hub) groups.push(membership.group);
    return groups;
  }

  /** Settles when messages published next reach the connection. Throws `HUB_TOO_MANY_GROUPS`. */
  join(hub: string, group: string): Awaitable<void> {
    const topic = groupTopic(hub, group);
    this.rejoin?.touched.add(topic);
    return this.enter(hub, group, topic);
  }

  /** Whether the connection was in the group, or could have come back to it. */
  leave(hub: string, group: string): boolean {
    const topic = groupTopic(hub, group);
    const { rejoin } = this;
    const wasAside = rejoin?.aside.has(topic) === true && !rejoin.touched.has(topic);
    rejoin?.touched.add(topic);
    return this.exit(topic) || wasAside;
  }

  /** Puts back what a token says, with the place at which the token was issued. */
  restore(hub: string, group: string, since: Position): Awaitable<void> {
    const topic = groupTopic(hub, group);
    if (this.all.has(topic)) return;
    const membership: Membership = { hub, group, topic, since, ready: undefined };
    this.all.set(topic, membership);
    return this.holder.listensTo(hub) ? this.holder.hold(topic, () => undefined) : undefined;
  }

  /** Holds or releases the topics of a hub that the connection has begun or ceased to listen to. */
  listen(hub: string, listens: boolean): Awaitable<void> {
    const held: Awaitable<void>[] = [];
    for (const membership of this.all.values()) {
      if (membership.hub !== hub) continue;
      if (listens) held.push(this.hold(membership));
      else this.holder.release(membership.topic);
    }
    return allOf(held);
  }

  /** The topics of the groups, and after which place each is wanted. */
  addTopics(topics: Map<string, Position>, after: Position): void {
    for (const membership of this.all.values())
      if (this.holder.listensTo(membership.hub)) topics.set(membership.topic, Math.max(after, membership.since));
  }

  /** From here to `commitRejoin` or `rollbackRejoin`, what stages drop is only set aside. */
  beginRejoin(): void {
    this.rejoin = { touched: new Set(), aside: new Map(), added: new Set() };
  }

  /** Applies the answer of one hub's stage as a difference to what the stage was given. */
  applyRejoin(hub: string, claimed: readonly string[], answer: readonly string[]): Awaitable<void> {
    const { rejoin } = this;
    if (rejoin === undefined) return;
    const kept = new Set(answer);
    for (const group of claimed) {
      if (kept.has(group)) continue;
      const topic = groupTopic(hub, group);
      const membership = this.all.get(topic);
      if (membership === undefined || rejoin.touched.has(topic)) continue;
      this.all.delete(topic);
      this.changed = true;
      rejoin.aside.set(topic, membership);
    }
    const entered: Awaitable<void>[] = [];
    for (const group of kept) {
      const topic = groupTopic(hub, group);
      if (rejoin.touched.has(topic) || this.all.has(topic)) continue;
      entered.push(this.enter(hub, group, topic));
      rejoin.added.add(topic);
    }
    return allOf(entered);
  }

  /** What was set aside is dropped for good. */
  commitRejoin(): void {
    const { rejoin } = this;
    this.rejoin = undefined;
    for (const topic of rejoin?.aside.keys() ?? []) if (!this.all.has(topic)) this.holder.release(topic);
  }

  /** What was set aside is back, what was added is not there, and what others changed stands. */
  rollbackRejoin(): void {
    const { rejoin } = this;
    this.rejoin = undefined;
    if (rejoin === undefined) return;
    for (const topic of rejoin.added) if (!rejoin.touched.has(topic)) this.exit(topic);
    for (const [topic, membership] of rejoin.aside) {
      if (this.all.has(topic)) continue;
      if (rejoin.touched.has(topic)) this.holder.release(topic);
      else this.all.set(topic, membership);
    }
    this.changed = true;
  }

  /** Releases everything, at the end of the connection. */
  clear(): void {
    this.commitRejoin();
    for (const topic of this.all.keys()) this.exit(topic);
  }

  private enter(hub: string, group: string, topic: string): Awaitable<void> {
    const present = this.all.get(topic);
    if (present !== undefined) return present.ready;
    if (this.all.size >= this.limit) throw hubError('HUB_TOO_MANY_GROUPS', { limit: this.limit });
    const membership: Membership = { hub, group, topic, since: this.holder.head, ready: undefined };
    this.all.set(topic, membership);
    this.changed = true;
    return this.holder.listensTo(hub) ? this.hold(membership) : undefined;
  }

  private hold(membership: Membership): Awaitable<void> {
    membership.since = Number.POSITIVE_INFINITY;
    const held = this.holder.hold(membership.topic, (since) => {
      membership.since = since;
    });
    if (!isPromise<void>(held)) return;
    const ready = held.then(
      () => {
        if (membership.ready === ready) membership.ready = undefined;
      },
      (error: unknown) => {
        // What could not be held is not left half joined.
        if (this.all.get(membership.topic) === membership) this.exit(membership.topic);
        throw error;
      },
    );
    membership.ready = ready;
    return ready;
  }

  private exit(topic: string): boolean {
    const membership = this.all.get(topic);
    if (membership === undefined) return false;
    this.all.delete(topic);
    this.changed = true;
    // A membership that was set aside may come back with what the topic holds.
    if (this.rejoin?.aside.has(topic) !== true && this.holder.listensTo(membership.hub)) this.holder.release(topic);
    return true;
  }
}
