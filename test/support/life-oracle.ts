import type { Resume } from '@hubline/core';
import { isPromise, type Awaitable } from '@hubline/core/internal/awaitable.js';
import type { ConnectionRecord } from '@hubline/core/internal/connections/connection-record.js';
import type { Clock } from '@hubline/core/internal/clock.js';
import { openGroupsToken } from '@hubline/core/internal/groups/groups-token.js';
import type { DataProtector } from '@hubline/core/internal/security/key-ring.js';
import type { EncodedMessage } from '@hubline/core/internal/wire/hub-protocol.js';
import type { ReadFrame } from './fake-transport.js';
import { GroupsModel } from './groups-model.js';
import type { RecordingBus } from './recording-bus.js';

/** When something came into force: not for messages up to `from`, for sure for those after `to`. */
interface Moment {
  readonly from: number;
  to: number;
  readonly position: number;
}

interface Message {
  readonly topics: readonly string[];
  /** The connection that does not get it. */
  readonly except: string | undefined;
  /** Its place, if anybody wanted it. */
  readonly position: number;
  /** Whether a resume has told that it may be missing. */
  isForgiven: boolean;
}

interface HubLife {
  running: number;
  completed: number;
  first: 'connect' | 'reconnect' | undefined;
  /** How often `disconnect` has begun, and how often the hub itself was told. */
  disconnects: number;
  told: number;
}

interface StageRun {
  readonly startedAt: number;
  ok: boolean | undefined;
}

/** What is known of one life of the connection. */
interface Life {
  readonly record: ConnectionRecord;
  readonly groups: GroupsModel<Moment>;
  readonly hubs: Map<string, Moment>;
  readonly events: Map<string, HubLife>;
  /** Whether it began with a resume that nobody remembered, and that has not succeeded yet. */
  isNew: boolean;
  /** The stages of the resume that runs. */
  stages: StageRun[];
  isRejoining: boolean;
  /** Topics that the bus has been asked for, and how often. */
  readonly holding: Map<string, number>;
  /** Whether its hubs were told at the last resume that something is missing. */
  isTold: boolean;
  /** The token that it began with. */
  readonly token: string | undefined;
  awayMs: number;
  endedAt: number;
}

const picture: Readonly<Record<string, readonly string[]>> = {
  opening: ['connected', 'ended'],
  connected: ['waiting', 'ended'],
  waiting: ['resuming', 'ended'],
  resuming: ['connected', 'waiting', 'ended'],
  ended: [],
};

/** What the oracle watches. */
export interface Watched {
  readonly bus: RecordingBus<EncodedMessage>;
  readonly clock: Clock;
  readonly protector: DataProtector;
  readonly isSlow: boolean;
  readonly rejoinDeadlineMs: number;
  readonly disconnectTimeoutMs: number;
  /** How long an id that has ended is known. */
  readonly rememberedMs: number;
}

/** Knows what should happen to one client, and notes what happens otherwise. */
export class LifeOracle {
  readonly violations: string[] = [];
  readonly lives = new Map<ConnectionRecord, Life>();
  readonly received: number[] = [];
  /** Messages are numbered in the order in which they are sent. */
  count = 0;
  /** Messages up to here are before the client's first request. */
  startsAfter = 0;
  private readonly messages = new Map<number, Message>();
  private places: number[] = [0];
  private readonly tokens = new Map<string, number>();
  private revoked = new Map<string, number>();
  private order = 0;
  /** The number of the message that was published last. */
  private newest = 0;
  private toldAt = 0;
  private toldPlace = 0;

  constructor(private watched: Watched) {}

  /** A process ends, and what it knew; another one begins. */
  restart(watched: Watched): void {
    this.watched = watched;
    this.places = [this.count];
    this.revoked = new Map();
    this.lives.clear();
  }

  // What is sent, written and read.

  published(topics: readonly string[], number: number, except: string | undefined, position: number): void {
    const isWanted = topics.some((topic) => this.watched.bus.naive.topics.has(topic));
    if (isWanted) this.places[position] = number;
    this.newest = number;
    this.messages.set(number, { topics, except, position: isWanted ? position : 0, isForgiven: false });
  }

  written(record: ConnectionRecord, frame: ReadFrame): void {
    const life = this.lifeOf(record);
    for (const number of frame.messages) {
      const message = this.messages.get(number);
      const isWanted = message?.topics.some((topic) => (this.momentOf(life, topic)?.from ?? Infinity) < number);
      if (isWanted !== true || message?.except === record.id) this.note(`message ${number} is written and not wanted`);
    }
    if (frame.token === undefined) return;
    this.tokens.set(frame.token, ++this.order);
    this.expectSame('a token names', this.namesIn(frame.token), [...life.groups.current.keys()]);
  }

  read({ messages }: ReadFrame): void {
    for (const number of messages) {
      const last = this.received.at(-1) ?? 0;
      if (number <= last) this.note(`message ${number} is received after ${last}`);
      this.received.push(number);
    }
  }

  /** A topic is held: what is published after this is the connection's, whenever it hears of that. */
  subscribed(topic: string, subscriber: object): void {
    for (const life of this.lives.values()) {
      if (life.record.delivery !== subscriber) continue;
      const left = (life.holding.get(topic) ?? 0) - 1;
      life.holding.set(topic, left);
      const moment = this.momentOf(life, topic);
      // The topics of a hub are held one after the other, and this one is the last; of a group it is the last one asked.
      if (left === 0 && moment !== undefined && !/^[hc]/.test(topic)) moment.to = Math.min(moment.to, this.newest);
    }
  }

  /** What has not been received and is not in the log any more, or was never there, is forgiven: it has been told. */
  private forgive(all: boolean): void {
    const got = new Set(this.received);
    const kept = new Set(this.watched.bus.naive.kept.map(({ position }) => position));
    for (const [number, message] of this.messages)
      if (!got.has(number) && (all || !kept.has(message.position))) message.isForgiven = true;
  }

  reconnecting(record: ConnectionRecord, resume: Resume, hub: string, cursor: string | undefined): void {
    const life = this.lifeOf(record);
    const { bus, isSlow } = this.watched;
    const reading = bus.readPosition(cursor ?? '');
    const from = Math.max(reading.kind === 'here' ? reading.position : 0, record.floor);
    const hasAll = this.topicsOf(life).every((topic) => {
      const after = Math.max(from, this.momentOf(life, topic)?.position ?? 0);
      return (bus.naive.topics.get(topic)?.evicted ?? 0) <= after;
    });
    const expected = !life.isNew && reading.kind === 'here' && hasAll;
    // With a slow bus more may have been evicted since it was asked.
    if (isSlow ? expected && !resume.complete : expected !== resume.complete)
      this.note(`complete is ${resume.complete}`);
    if (resume.newLife !== life.isNew) this.note(`newLife is ${resume.newLife}`);
    this.expectSame('a resume is told', resume.groups, life.groups.of(hub));
    for (const group of resume.refused.keys())
      if (life.groups.has(`${hub}/${group}`)) this.note(`${group} is refused, and there`);
    if (resume.complete) return;
    life.isTold = true;
    this.forgive(life.isNew || reading.kind !== 'here');
    this.toldAt = Math.max(0, ...this.messages.keys());
    this.toldPlace = bus.head;
  }

  /** A request without a cursor has got nothing of what was there when hubs were told that something is missing. */
  sharedWithoutCursor(): void {
    for (const [number, message] of this.messages) if (number <= this.toldAt) message.isForgiven = true;
  }

  /** A request that was refused is nobody's transport, and is not refused for what hubs have been told. */
  refused(record: ConnectionRecord | undefined, generation: number, error: Error): void {
    if (record === undefined) return;
    if (record.isCurrent(generation) && record.hasTransport) this.note(`refused, and its transport: ${error.message}`);
    const life = this.lives.get(record);
    if (life?.isTold !== true || this.watched.isSlow || !error.message.startsWith('Messages were lost while')) return;
    // More may have been lost since then; with a slow bus, the next resume may have told it meanwhile.
    const { topics } = this.watched.bus.naive;
    if (this.topicsOf(life).every((topic) => (topics.get(topic)?.evicted ?? 0) <= this.toldPlace))
      this.note('refused, and it had been told');
  }

  /** At rest: everything that is due has come, and the client's token names its groups. */
  checkRest(record: ConnectionRecord, token: string | undefined): void {
    const life = this.lifeOf(record);
    const got = new Set(this.received);
    for (const [number, { topics, except, isForgiven }] of this.messages) {
      if (except === record.id || isForgiven || got.has(number) || number <= this.startsAfter) continue;
      if (topics.some((topic) => (this.momentOf(life, topic)?.to ?? Infinity) < number))
        this.note(`message ${number} is missing`);
    }
    const named = token === undefined ? [] : this.namesIn(token);
    this.expectSame('the client knows', named, [...life.groups.current.keys()]);
  }

  // Groups.

  joining(record: ConnectionRecord, key: string): Moment {
    const moment = this.now();
    this.lifeOf(record).groups.join(key, moment);
    return moment;
  }

  revoking(key: string): void {
    this.revoked.set(key, ++this.order);
  }

  settle(moment: Moment, work: Awaitable<unknown>): void {
    const isThere = (): void => {
      moment.to = Math.min(moment.to, this.count);
    };
    if (isPromise(work)) work.then(isThere, () => undefined);
    else isThere();
  }

  // Events, as the outermost module sees them.

  stageBegins(record: ConnectionRecord): StageRun {
    const stage: StageRun = { startedAt: this.watched.clock.now(), ok: undefined };
    this.lifeOf(record).stages.push(stage);
    return stage;
  }

  claims(record: ConnectionRecord, hub: string, claimed: readonly string[]): void {
    const life = this.lifeOf(record);
    this.expectSame('a stage is given', claimed, life.groups.of(hub));
    if (!life.isNew || life.token === undefined) return;
    const issued = this.tokens.get(life.token) ?? 0;
    const believable = this.namesIn(life.token)
      .filter((key) => key.startsWith(`${hub}/`) && (this.revoked.get(key) ?? 0) < issued)
      .map((key) => key.slice(hub.length + 1));
    for (const group of believable)
      // What others have changed since the record was made stands.
      if (!claimed.includes(group) && !life.groups.wasChanged(`${hub}/${group}`)) this.note(`${group} is not claimed`);
  }

  eventBegins(record: ConnectionRecord, hub: string, kind: 'connect' | 'reconnect' | 'disconnect'): HubLife {
    const { events } = this.lifeOf(record);
    let one = events.get(hub);
    if (one === undefined) {
      one = { running: 0, completed: 0, first: undefined, disconnects: 0, told: 0 };
      events.set(hub, one);
    }
    if (one.disconnects > 0) this.note(`${kind} of ${hub} begins after disconnect`);
    if (kind === 'disconnect') {
      one.disconnects++;
      if (one.running > 0) this.note(`disconnect of ${hub} begins beside another event`);
      if (one.completed === 0) this.note(`disconnect of ${hub} begins, and nothing had completed`);
    } else {
      if (kind === 'connect' && one.first !== undefined) this.note(`connect of ${hub} is not the first event`);
      one.first ??= kind;
      one.running++;
    }
    return one;
  }

  hubIsTold(record: ConnectionRecord, hub: string): void {
    const one = this.lifeOf(record).events.get(hub);
    if (one === undefined || ++one.told > 1) this.note(`${hub} is told of the end too often`);
  }

  /** Every life that has ended has told each of its hubs once. */
  checkEnds(): void {
    for (const { record, events } of this.lives.values()) {
      for (const [hub, { completed, told, disconnects, running }] of events) {
        const due = record.state === 'ended' && completed > 0 ? 1 : 0;
        // A hub that is refused on a resume is told then.
        const isRefused = record.hubs.get(hub)?.refused === true;
        if (running > 0) this.note(`an event of ${hub} still runs`);
        if (!isRefused && (told !== due || disconnects !== due))
          this.note(`${hub} has ${completed} events, and is told of the end ${told} times`);
        if (isRefused && told !== Math.min(completed, 1)) this.note(`${hub} was refused, and told ${told} times`);
      }
    }
  }

  // Records.

  watch(record: ConnectionRecord, token: string | undefined): void {
    if (this.lives.has(record)) return;
    for (const { record: earlier, endedAt } of this.lives.values())
      if (earlier.id === record.id && ['client', 'kicked'].includes(earlier.endReason ?? ''))
        if (this.watched.clock.now() - endedAt < this.watched.rememberedMs)
          this.note('it lives again after the last end');
    const life: Life = {
      record,
      groups: new GroupsModel<Moment>(),
      hubs: new Map(),
      events: new Map(),
      isNew: record.state === 'resuming',
      stages: [],
      isRejoining: false,
      holding: new Map(),
      isTold: false,
      token,
      awayMs: 0,
      endedAt: 0,
    };
    this.lives.set(record, life);
    this.watchState(record, life);
    this.watchHubs(record, life);
    this.watchMemberships(record, life);
  }

  /** Compares what is held with what should be. */
  check(record: ConnectionRecord): void {
    const life = this.lifeOf(record);
    const held = [...record.memberships].map(({ hub, group }) => `${hub}/${group}`);
    this.expectSame('the record is in', held, [...life.groups.current.keys()]);
    const { bus, isSlow } = this.watched;
    if (isSlow) return;
    for (const { hub, group, since } of record.memberships)
      if (since !== life.groups.current.get(`${hub}/${group}`)?.position)
        this.note(`${hub}/${group} holds since ${since}`);
    const topics = [...bus.naive.topics].filter(([, { subscribers }]) => subscribers.has(record.id));
    const due = [...life.groups.current.keys(), ...life.groups.aside]
      .filter((key) => life.hubs.has(key.slice(0, key.indexOf('/'))))
      .map((key) => `g/${key}`);
    for (const hub of life.hubs.keys()) due.push(`h/${hub}`, `c/${hub}/${record.id}`, `u/${hub}/${record.user.id}`);
    this.expectSame(
      'the record holds',
      topics.map(([topic]) => topic),
      [...new Set(due)],
    );
  }

  /** Time goes on by so much for a record that has no transport, or not. */
  pass(ms: number): void {
    for (const life of this.lives.values()) {
      const { record } = life;
      const isTimed = record.state !== 'resuming' && record.state !== 'ended';
      if (isTimed && !record.hasTransport) life.awayMs += ms;
    }
  }

  checkAway(): void {
    const { disconnectTimeoutMs } = this.watched;
    for (const { record, awayMs } of this.lives.values()) {
      if (record.endReason === 'timeout' && awayMs < disconnectTimeoutMs)
        this.note(`it is given up after ${awayMs} ms`);
      if (record.state !== 'ended' && awayMs > disconnectTimeoutMs + 1_000) this.note(`it is held for ${awayMs} ms`);
    }
  }

  note(text: string): void {
    this.violations.push(text);
  }

  private watchState(record: ConnectionRecord, life: Life): void {
    let { state } = record;
    Object.defineProperty(record, 'state', {
      get: () => state,
      set: (to: typeof state) => {
        if (picture[state]?.includes(to) !== true) this.note(`${state} is followed by ${to}`);
        if (state === 'resuming' && to === 'connected') life.awayMs = 0;
        if (to === 'ended') life.endedAt = this.watched.clock.now();
        state = to;
      },
    });
    // A transport that was there gives the whole time back.
    const attach = record.attach.bind(record);
    record.attach = (transport, start) => {
      life.awayMs = 0;
      attach(transport, start);
    };
    const over = record.transportOver.bind(record);
    record.transportOver = (transport, how) => {
      life.awayMs = 0;
      over(transport, how);
    };
  }

  private watchHubs(record: ConnectionRecord, life: Life): void {
    const { subscriptions } = record;
    const hold = subscriptions.hold.bind(subscriptions);
    subscriptions.hold = (topic, begins) => {
      life.holding.set(topic, (life.holding.get(topic) ?? 0) + 1);
      return hold(topic, begins);
    };
    const listen = subscriptions.listen.bind(subscriptions);
    subscriptions.listen = (hub, since) => {
      if (subscriptions.listensTo(hub)) return listen(hub, since);
      const moment = this.now();
      life.hubs.set(hub, since === undefined ? moment : this.at(since));
      // What came while nobody listened is not for this connection.
      for (const group of life.groups.of(hub)) life.groups.restore(`${hub}/${group}`, moment);
      const listening = listen(hub, since);
      this.settle(moment, listening);
      return listening;
    };
    const unlisten = record.subscriptions.unlisten.bind(record.subscriptions);
    record.subscriptions.unlisten = (hub) => {
      life.hubs.delete(hub);
      if (record.hubs.get(hub)?.refused === true)
        for (const group of life.groups.of(hub)) life.groups.leave(`${hub}/${group}`);
      unlisten(hub);
    };
  }

  private watchMemberships({ memberships }: ConnectionRecord, life: Life): void {
    const { record, groups } = life;
    const restore = memberships.restore.bind(memberships);
    memberships.restore = (hub, group, since) => {
      const key = `${hub}/${group}`;
      const issued = life.token === undefined ? undefined : this.tokens.get(life.token);
      if (issued === undefined || (this.revoked.get(key) ?? 0) > issued) this.note(`${key} is back, and was revoked`);
      if (record.hubs.get(hub)?.refused === true) this.note(`${key} is back, and its hub was refused`);
      if (!groups.has(key)) groups.restore(key, this.at(since));
      return restore(hub, group, since);
    };
    const begin = memberships.beginRejoin.bind(memberships);
    memberships.beginRejoin = () => {
      begin();
      groups.begin();
      life.stages = [];
      life.isTold = false;
      life.isRejoining = true;
    };
    const apply = memberships.applyRejoin.bind(memberships);
    memberships.applyRejoin = (hub, claimed, answer) => {
      const moment = this.now();
      groups.answer(hub, claimed, answer, moment);
      const applied = apply(hub, claimed, answer);
      this.settle(moment, applied);
      return applied;
    };
    const end = (how: 'commit' | 'rollback', run: () => void) => (): void => {
      // A process that was killed is not looked at any more.
      if (record.state === 'resuming' && life.isRejoining && this.lives.has(record)) {
        const failed = life.stages.some((stage) => this.hasFailed(stage));
        if (failed !== (how === 'rollback')) this.note(`${how}, and stages have ${failed ? '' : 'not '}failed`);
      }
      run();
      if (how === 'commit') life.isNew = false;
      life.isRejoining = false;
      groups.end(how);
    };
    memberships.commitRejoin = end('commit', memberships.commitRejoin.bind(memberships));
    memberships.rollbackRejoin = end('rollback', memberships.rollbackRejoin.bind(memberships));
  }

  private hasFailed({ startedAt, ok }: StageRun): boolean {
    return ok === undefined ? this.watched.clock.now() - startedAt >= this.watched.rejoinDeadlineMs : !ok;
  }

  private topicsOf({ record, hubs, groups }: Life): string[] {
    return [...hubs.keys()].flatMap((key) => [
      `h/${key}`,
      `c/${key}/${record.id}`,
      `u/${key}/${record.user.id}`,
      ...groups.of(key).map((group) => `g/${key}/${group}`),
    ]);
  }

  private momentOf(life: Life, topic: string): Moment | undefined {
    const [kind, hub = '', name = ''] = topic.split('/');
    const listening = life.hubs.get(hub);
    if (listening === undefined) return undefined;
    if (kind === 'g') return life.groups.current.get(`${hub}/${name}`);
    if (kind === 'c' && name !== life.record.id) return undefined;
    if (kind === 'u' && name !== life.record.user.id) return undefined;
    return listening;
  }

  private namesIn(token: string): string[] {
    const groups = openGroupsToken(this.watched.protector, token)?.groups ?? {};
    return Object.entries(groups).flatMap(([hub, names]) => names.map((name) => `${hub}/${name}`));
  }

  private now(): Moment {
    return { from: this.count, to: Number.POSITIVE_INFINITY, position: this.watched.bus.head };
  }

  /** A place that somebody remembered. */
  private at(position: number): Moment {
    // What was sent while nobody was connected has a place, and no number.
    let place = position;
    while (this.places[place] === undefined) place--;
    const number = this.places[place] as number;
    return { from: number, to: number, position };
  }

  private expectSame(what: string, actual: readonly string[], expected: readonly string[]): void {
    const one = [...actual].sort().join(', ');
    const other = [...expected].sort().join(', ');
    if (one !== other) this.note(`${what} [${one}] instead of [${other}]`);
  }

  private lifeOf(record: ConnectionRecord): Life {
    const life = this.lives.get(record);
    if (life === undefined) throw new Error('A record that nobody has seen.');
    return life;
  }
}
