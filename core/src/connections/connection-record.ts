import { allOf, isPromise, type Awaitable } from '../awaitable.js';
import type { Clock } from '../clock.js';
import { Memberships, type TopicHolder } from '../groups/memberships.js';
import type { MessageBus } from '../messaging/message-bus.js';
import { beginning, type Position } from '../messaging/position.js';
import { connectionTopic, hubTopic, userTopic } from '../messaging/topic-name.js';
import type { User } from '../security/user.js';
import type { EncodedMessage, HubProtocol } from '../wire/hub-protocol.js';
import type { Transport, TransportEnding } from '../wire/transport.js';
import { CallQueue } from './call-queue.js';
import { mayFollow } from './connection-state.js';
import type { Connection, ConnectionRequest, ConnectionState, DisconnectReason } from './connection.js';
import { Delivery, type DeliverySource, type Replay } from './delivery.js';
import type { Heartbeat, HeartbeatTimer } from './heartbeat.js';

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

/** What the wire family says about a connection when it makes one. */
export interface ConnectionTraits {
  readonly protocol: HubProtocol;
  /** How long a lost transport is waited for; `undefined` where a lost transport ends the connection. */
  readonly disconnectTimeoutMs: number | undefined;
  /** Whether its client carries a groups token. */
  readonly groupsToken: boolean;
  /** How many of its calls run beside each other. */
  readonly parallelCalls: number;
}

/** What the hubs were told at a resume. */
export interface ResumeOutcome {
  /** Whether nothing that the client missed is lost. */
  readonly complete: boolean;
  /** The place at which that was so. */
  readonly upTo: Position;
}

/** What a record uses and tells. */
export interface RecordGround {
  readonly bus: MessageBus<EncodedMessage>;
  readonly heartbeat: Heartbeat;
  readonly clock: Clock;
  readonly maxGroups: number;
  readonly maxCalls: number;
  /** Seals the record's groups. */
  groupsToken(record: ConnectionRecord): string;
  /** Nobody came back in time, or a lost transport is the end. */
  lost(record: ConnectionRecord): void;
}

/** What the server keeps of one connection. */
export class ConnectionRecord implements Connection, TopicHolder, DeliverySource {
  state: ConnectionState = 'opening';
  readonly items = new Map<unknown, unknown>();
  readonly hubs = new Map<string, HubLink>();
  readonly memberships: Memberships;
  readonly delivery: Delivery;
  readonly calls: CallQueue;
  /** Counts the changes of topics. */
  topicChanges = 0;
  /** Groups that were revoked while the connection was away, as topics. */
  readonly revokedAway = new Set<string>();
  /** The groups token that the client was last given. */
  lastGroupsToken: string | undefined;
  /** Settles when `connect` has, whatever became of it; `undefined` before. */
  connecting: Promise<void> | undefined;
  /** The stages of a resume, shared by all requests that come meanwhile. */
  resuming: { readonly hubs: string; readonly outcome: Promise<ResumeOutcome> } | undefined;
  /** How it ended. */
  endReason: DisconnectReason | undefined;
  private generation = 0;
  private claimed = false;
  /** Between two batches it has no transport, and has not lost one either. */
  private betweenBatches = false;
  private flushing = false;
  private awayTimer: HeartbeatTimer | undefined;
  private tokenTimer: HeartbeatTimer | undefined;
  private leftMs: number;
  private lostAt: number | undefined;
  private topicsSettled: Promise<void> | undefined;
  private aborter: AbortController | undefined;

  constructor(
    readonly id: string,
    readonly user: User,
    public request: ConnectionRequest,
    readonly traits: ConnectionTraits,
    /** Nothing before this place is ever replayed. */
    readonly floor: Position,
    private readonly ground: RecordGround,
  ) {
    this.leftMs = traits.disconnectTimeoutMs ?? 0;
    this.memberships = new Memberships(this, ground.maxGroups);
    this.delivery = new Delivery(id, ground.bus, this);
    this.calls = new CallQueue(traits.parallelCalls, ground.maxCalls, (paused) =>
      this.delivery.transport?.pause(paused),
    );
  }

  get protocol(): string {
    return this.traits.protocol.name;
  }

  get transport(): string | undefined {
    return this.delivery.transport?.name;
  }

  get signal(): AbortSignal {
    this.aborter ??= new AbortController();
    if (this.state === 'ended' && !this.aborter.signal.aborted) this.aborter.abort();
    return this.aborter.signal;
  }

  get head(): Position {
    return this.ground.bus.head;
  }

  /** How long it has had no transport. */
  get downForMs(): number {
    return this.lostAt === undefined ? 0 : this.ground.clock.now() - this.lostAt;
  }

  /** One synchronous step; `false` if the state is not one that `to` may follow. */
  moveTo(to: ConnectionState): boolean {
    if (!mayFollow(this.state, to)) return false;
    this.state = to;
    return true;
  }

  // Transports. A request that opens one claims the connection first; no later event of the older one counts.

  /** Ends the older transport, stops the timer, and gives the generation of the new one. */
  claim(request: ConnectionRequest): number {
    const older = this.delivery.transport;
    this.delivery.detach();
    this.stopWaiting();
    if (this.state === 'connected' && this.claimed) this.markLost();
    this.request = request;
    this.claimed = true;
    this.betweenBatches = false;
    this.generation++;
    older?.end({ kind: 'replaced' });
    return this.generation;
  }

  /** Whether the transport of this generation is still the one that counts. */
  isCurrent(generation: number): boolean {
    return this.generation === generation && this.state !== 'ended';
  }

  /** Whether a transport is there, or is being opened. */
  get hasTransport(): boolean {
    return this.claimed;
  }

  attach(transport: Transport, start: Position | Replay): void {
    this.leftMs = this.traits.disconnectTimeoutMs ?? 0;
    this.lostAt = undefined;
    this.delivery.tokenDue = this.traits.groupsToken && this.memberships.changed;
    this.delivery.attach(transport, start);
    if (this.calls.isPaused) transport.pause(true);
  }

  /** The transport of a generation is gone. `false` if that was known, or does not count any more. */
  lose(generation: number): boolean {
    if (!this.isCurrent(generation) || !this.claimed) return false;
    // A client whose poll was cut polls again.
    if (this.delivery.transport?.live === false) this.waitForNextBatch();
    else this.loseTransport();
    return true;
  }

  private loseTransport(): void {
    this.claimed = false;
    this.delivery.detach();
    if (this.traits.disconnectTimeoutMs === undefined) {
      this.ground.lost(this);
      return;
    }
    if (this.state === 'connected') {
      // One that never carried anything does not give time back.
      if (this.lostAt === undefined) this.markLost();
      this.moveTo('waiting');
    }
    // While the stages of a resume run, the timer stands; they look for a transport at their end.
    if (this.state !== 'resuming') this.wait();
  }

  transportOver(transport: Transport, how: 'lost' | 'taken'): void {
    if (how === 'taken') this.waitForNextBatch();
    else {
      this.loseTransport();
      transport.end({ kind: 'lost' });
    }
  }

  /** `connect` has completed: connected with a transport; if it is lost the timer that runs goes on. */
  confirm(): boolean {
    if (!this.moveTo('connected')) return false;
    if (!this.claimed && !this.betweenBatches) this.moveTo('waiting');
    return true;
  }

  /** The stages of a resume begin, and the timer stops. `false` if they may not. */
  beginResume(): boolean {
    if (this.state === 'connected') this.moveTo('waiting');
    if (!this.moveTo('resuming')) return false;
    this.stopWaiting();
    return true;
  }

  /** The stages of a resume are over: connected with a transport, waiting without. */
  endResume(success: boolean): void {
    if (success && this.claimed) {
      this.moveTo('connected');
      this.lostAt = undefined;
      return;
    }
    this.claimed = false;
    if (this.moveTo('waiting')) this.wait();
  }

  /** Reached once, from any state. `false` if it had ended. */
  end(reason: DisconnectReason, ending: TransportEnding): boolean {
    if (!this.moveTo('ended')) return false;
    this.endReason = reason;
    this.stopWaiting();
    this.tokenTimer?.cancel();
    this.calls.clear();
    const { transport } = this.delivery;
    this.delivery.detach();
    this.claimed = false;
    for (const link of this.hubs.values()) if (link.listening) this.releaseHub(link);
    this.memberships.clear();
    this.aborter?.abort();
    transport?.end(ending);
    return true;
  }

  /** Between two batches, and when one was cut, the connection is connected; the timer runs from the last one. */
  private waitForNextBatch(): void {
    this.claimed = false;
    this.delivery.detach();
    this.betweenBatches = true;
    this.markLost();
    this.wait();
  }

  private markLost(): void {
    this.lostAt = this.ground.clock.now();
    this.leftMs = this.traits.disconnectTimeoutMs ?? 0;
  }

  private wait(): void {
    this.stopWaiting();
    this.awayTimer = this.ground.heartbeat.after(this.leftMs, () => this.ground.lost(this));
  }

  private stopWaiting(): void {
    if (this.awayTimer === undefined) return;
    this.leftMs = this.awayTimer.leftMs;
    this.awayTimer.cancel();
    this.awayTimer = undefined;
  }

  // Hubs and topics.

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
    if (link.listening) return;
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
    this.topicChanges++;
    const position = this.ground.bus.subscribe(topic, this.delivery);
    if (!isPromise<Position>(position)) {
      begins(position);
      return;
    }
    return this.settling(position.then(begins));
  }

  release(topic: string): void {
    this.topicChanges++;
    const released = this.ground.bus.unsubscribe(topic, this.delivery);
    if (isPromise<void>(released)) this.settling(released).then(undefined, () => undefined);
  }

  /** While a topic is being held or released it is not known what belongs to the connection. */
  get unsettled(): Promise<void> | undefined {
    return this.topicsSettled;
  }

  private settling(change: Promise<void>): Promise<void> {
    const before = this.topicsSettled;
    const settled: Promise<void> = Promise.allSettled([before, change]).then(() => {
      if (this.topicsSettled === settled) this.topicsSettled = undefined;
    });
    this.topicsSettled = settled;
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

  private releaseHub(link: HubLink): void {
    link.listening = false;
    for (const topic of this.topicsOf(link.hub)) this.release(topic);
    void this.memberships.listen(link.hub, false);
  }

  private topicsOf(hub: string): string[] {
    const topics = [hubTopic(hub), connectionTopic(hub, this.id)];
    if (this.user.id !== '') topics.push(userTopic(hub, this.user.id));
    return topics;
  }

  // Groups tokens.

  /** The memberships have changed: the client is told with its next frame, or at the end of the tick. */
  groupsChanged(): void {
    if (!this.traits.groupsToken || !this.memberships.changed || this.state === 'ended') return;
    this.delivery.tokenDue = this.delivery.transport !== undefined;
    if (this.flushing) return;
    this.flushing = true;
    setImmediate(() => {
      this.flushing = false;
      this.delivery.flushToken();
    });
  }

  /** A client that holds another token than it was last given is told its groups again. */
  presents(groupsToken: string | undefined): void {
    if (groupsToken !== this.lastGroupsToken) this.memberships.changed = true;
  }

  takeGroupsToken(): string {
    this.memberships.changed = false;
    this.lastGroupsToken = this.ground.groupsToken(this);
    return this.lastGroupsToken;
  }

  /** Issues the token again at half its life. */
  renewTokenAfter(ms: number): void {
    this.tokenTimer?.cancel();
    this.tokenTimer = this.ground.heartbeat.after(ms, () => {
      this.memberships.changed = true;
      this.groupsChanged();
    });
  }
}
