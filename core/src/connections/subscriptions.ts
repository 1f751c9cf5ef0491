import { allOf, isPromise, type Awaitable } from '../awaitable.js';
import { Memberships, type TopicHolder } from '../groups/memberships.js';
import type { MessageBus } from '../messaging/message-bus.js';
import { beginning, type Position } from '../messaging/position.js';
import { connectionTopic, hubTopic, userTopic } from '../messaging/topic-name.js';
import type { Subscriber } from '../messaging/topic.js';
import type { EncodedMessage } from '../wire/hub-protocol.js';
import type { WantedTopics } from './delivery.js';

/** One hub of a connection. */
export interface HubLink {
  /** The hub's key. */
  readonly hub: string;
  /** Whether the last request that was allowed listed it: it alone has messages then. */
  listening: boolean;
  /** Messages of the hub are wanted after this place. */
  since: Position;
  /** Refused by `authorizeConnect` on a resume; it stays so for the rest of the life. */
  refused: boolean;
  /** Whether calls of it are allowed although no request listed it. */
  admitted: Awaitable<boolean> | undefined;
  /** Whether its `connect` or `reconnect` has completed, so that it is owed a `disconnect`. */
  begun: boolean;
  /** The stage that runs for it now. */
  running: Promise<unknown> | undefined;
}

/** What one connection is given messages of: its hubs, and the groups that it is in. */
export class Subscriptions implements TopicHolder, WantedTopics {
  readonly hubs = new Map<string, HubLink>();
  readonly memberships: Memberships;
  changes = 0;
  private isOver = false;
  private settlingChanges: Promise<void> | undefined;

  constructor(
    private readonly id: string,
    private readonly userId: string,
    private readonly bus: MessageBus<EncodedMessage>,
    maxGroups: number,
    private readonly subscriber: () => Subscriber<EncodedMessage>,
  ) {
    this.memberships = new Memberships(this, maxGroups);
  }

  get head(): Position {
    return this.bus.head;
  }

  link(hub: string): HubLink {
    let link = this.hubs.get(hub);
    if (link === undefined) {
      link = {
        hub,
        listening: false,
        since: beginning,
        refused: false,
        admitted: undefined,
        begun: false,
        running: undefined,
      };
      this.hubs.set(hub, link);
    }
    return link;
  }

  /** The connection has messages of this hub from `since` on; from now on if that is not given. */
  listen(hub: string, since?: Position): Awaitable<void> {
    const link = this.link(hub);
    if (link.listening || this.isOver) return;
    link.listening = true;
    link.since = since ?? Number.POSITIVE_INFINITY;
    const topics = this.topicsOf(hub);
    let latest = beginning;
    let missing = topics.length;
    const held = topics.map((topic) =>
      this.hold(topic, (place) => {
        latest = Math.max(latest, place);
        if (--missing === 0) link.since = since ?? latest;
      }),
    );
    return allOf([...held, this.memberships.listen(hub, true)]);
  }

  /** Listens to several hubs from now on. */
  listenAll(hubs: readonly { readonly key: string }[]): Awaitable<void> {
    return allOf(hubs.map(({ key }) => this.listen(key)));
  }

  unlisten(hub: string): void {
    const link = this.link(hub);
    if (!link.listening) return;
    this.releaseHub(link);
  }

  listensTo(hub: string): boolean {
    return this.hubs.get(hub)?.listening === true;
  }

  hold(topic: string, begins: (since: Position) => void): Awaitable<void> {
    this.changes++;
    const position = this.bus.subscribe(topic, this.subscriber());
    if (!isPromise<Position>(position)) {
      begins(position);
      return;
    }
    return this.settling(position.then(begins));
  }

  release(topic: string): void {
    this.changes++;
    const released = this.bus.unsubscribe(topic, this.subscriber());
    if (isPromise<void>(released)) this.settling(released).then(undefined, () => undefined);
  }

  get unsettled(): Promise<void> | undefined {
    return this.settlingChanges;
  }

  private settling(change: Promise<void>): Promise<void> {
    const before = this.settlingChanges;
    const settled: Promise<void> = Promise.allSettled([before, change]).then(() => {
      if (this.settlingChanges === settled) this.settlingChanges = undefined;
    });
    this.settlingChanges = settled;
    return change;
  }

  topics(after: Position): ReadonlyMap<string, Position> {
    const topics = new Map<string, Position>();
    for (const link of this.hubs.values()) {
      if (!link.listening) continue;
      const from = Math.max(after, link.since);
      for (const topic of this.topicsOf(link.hub)) topics.set(topic, from);
    }
    this.memberships.addTopics(topics, after);
    return topics;
  }

  /** Lets go of everything, at the end of the connection. */
  clear(): void {
    this.isOver = true;
    for (const link of this.hubs.values()) if (link.listening) this.releaseHub(link);
    this.memberships.clear();
  }

  private releaseHub(link: HubLink): void {
    link.listening = false;
    for (const topic of this.topicsOf(link.hub)) this.release(topic);
    void this.memberships.listen(link.hub, false);
  }

  private topicsOf(hub: string): string[] {
    const topics = [hubTopic(hub), connectionTopic(hub, this.id)];
    if (this.userId !== '') topics.push(userTopic(hub, this.userId));
    return topics;
  }
}
