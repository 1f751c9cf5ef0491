import { createUser, hub, Hub, factoryActivator, type ConnectionRequest, type HubPipelineModule } from '@hubline/core';
import type { ConnectionRecord } from '@hubline/core/internal/connections/connection-record.js';
import type { ConnectionTraits } from '@hubline/core/internal/connections/connection-traits.js';
import { ConnectionRegistry } from '@hubline/core/internal/connections/connection-registry.js';
import { Heartbeat } from '@hubline/core/internal/connections/heartbeat.js';
import { HubDispatcher } from '@hubline/core/internal/dispatcher/hub-dispatcher.js';
import { Revocations } from '@hubline/core/internal/groups/revocations.js';
import { describeHubs, type HubDescriptor } from '@hubline/core/internal/hubs/hub-descriptor.js';
import { resolveLimits } from '@hubline/core/internal/options.js';
import { HubPipeline } from '@hubline/core/internal/pipeline/hub-pipeline.js';
import type { ConnectionEvent } from '@hubline/core/internal/pipeline/stage-context.js';
import { KeyRing } from '@hubline/core/internal/security/key-ring.js';
import type { EncodedMessage } from '@hubline/core/internal/wire/hub-protocol.js';
import { settle, VirtualClock } from '@hubline/core/testing';
import { expect } from 'chai';
import { fakeProtocol, FakeTransport, type TransportKind } from './fake-transport.js';
import { LifeOracle, type Watched } from './life-oracle.js';
import { groupNames, hubNames, type LifeStep, type StageName } from './life-steps.js';
import { RecordingBus, SlowBus } from './recording-bus.js';

interface BenchClient {
  message(number: number): void;
}

abstract class BenchHub extends Hub<BenchClient> {
  constructor(private readonly bench: LifeBench) {
    super();
  }
  override onDisconnected(): void {
    const { connection } = this.context;
    this.bench.oracle.hubIsTold(connection as ConnectionRecord, this.name);
  }
  abstract readonly name: string;
}

@hub('chat')
class ChatHub extends BenchHub {
  readonly name = 'chat';
}

@hub('game')
class GameHub extends BenchHub {
  readonly name = 'game';
}

interface WaitingStage {
  readonly stage: StageName;
  settle(fails: boolean): void;
}

const user = createUser({ id: 'ann' });
const request: ConnectionRequest = {
  method: 'GET',
  path: '/',
  query: new URLSearchParams(),
  headers: {},
  remoteAddress: undefined,
};
const disconnectTimeoutMs = 10_000;
const rejoinDeadlineMs = 3_000;
const traits: ConnectionTraits = { protocol: fakeProtocol, disconnectTimeoutMs, groupsToken: true, parallelCalls: 1 };
const rememberedMs = 8_000;
const limits = resolveLimits({ logAgeMs: rememberedMs, logBytes: 300, rejoinDeadlineMs, authorizeDeadlineMs: 2_000 });
const silent = (): void => undefined;
const logger = { trace: silent, debug: silent, info: silent, warn: silent, error: silent, fatal: silent };
const stepMs = 500;
const witness = { id: 'witness', deliver: silent };

/** One process: everything of a server but its edge. */
class Process {
  readonly slowBus: SlowBus<EncodedMessage> | undefined;
  readonly registry: ConnectionRegistry;
  readonly dispatcher: HubDispatcher;
  readonly watched: Watched;
  private readonly heartbeat: Heartbeat;
  private readonly revocations: Revocations;

  constructor(bench: LifeBench, clock: VirtualClock, isSlow: boolean, epoch: string) {
    const bus = new RecordingBus<EncodedMessage>(
      clock,
      limits,
      epoch,
      (topics, body, position) => bench.published(topics, body, position),
      (topic, subscriber) => bench.oracle.subscribed(topic, subscriber),
    );
    this.heartbeat = new Heartbeat(clock);
    this.slowBus = isSlow ? new SlowBus(bus) : undefined;
    this.registry = new ConnectionRegistry(this.heartbeat, limits);
    this.revocations = new Revocations(clock, limits.groupsTokenLifetimeMs);
    const protector = new KeyRing(['the key of all processes']);
    this.watched = { bus, clock, protector, isSlow, rejoinDeadlineMs, disconnectTimeoutMs, rememberedMs };
    const hubs = describeHubs([ChatHub, GameHub]);
    this.dispatcher = new HubDispatcher({
      hubs,
      activator: factoryActivator([ChatHub, () => new ChatHub(bench)], [GameHub, () => new GameHub(bench)]),
      bus: this.slowBus ?? bus,
      registry: this.registry,
      revocations: this.revocations,
      heartbeat: this.heartbeat,
      protector,
      limits,
      clock,
      logger,
    });
    this.dispatcher.compose(new HubPipeline(() => hubs.values()).add(bench.module));
    this.heartbeat.start();
    this.sweepLater();
  }

  callWitness(): void {
    for (const topic of this.witnessed) void this.watched.bus.subscribe(topic, witness);
  }

  /** Topics that others have too, so that the log holds more than the client's own. */
  private get witnessed(): readonly string[] {
    return hubNames.flatMap((name) => [`h/${name}`, ...groupNames.map((group) => `g/${name}/${group}`)]);
  }

  dismissWitness(): void {
    for (const topic of this.witnessed) void this.watched.bus.unsubscribe(topic, witness);
  }

  hubs(names: readonly string[]): readonly HubDescriptor[] {
    return names.map((name) => this.dispatcher.ground.hubs.get(name) as HubDescriptor);
  }

  /** It is gone, as if it had been killed. */
  kill(): void {
    this.heartbeat.stop();
  }

  private sweepLater(): void {
    this.heartbeat.after(2_000, () => {
      this.watched.bus.sweep();
      this.sweepLater();
    });
  }
}

/** What a client keeps. */
interface Client {
  readonly id: string;
  readonly kind: TransportKind;
  readonly floor: string;
  hubs: readonly string[];
  transport: FakeTransport;
  cursor: string | undefined;
  token: string | undefined;
}

/** Whether the answer of stages is waited for, who is allowed, and what is answered. */
class Stages {
  readonly closed = new Set<StageName>();
  readonly forbidden = new Set<string>();
  drops: readonly string[] = [];
  adds: readonly string[] = [];
  private waiting: WaitingStage[] = [];

  /** Runs `work` at once, or when the test says so; it may fail instead. */
  pass<T>(stage: StageName, work: () => T | Promise<T>): T | Promise<T> {
    if (!this.closed.has(stage)) return work();
    return new Promise<void>((resolve, reject) => {
      this.waiting.push({ stage, settle: (fails) => (fails ? reject(new Error('It fails.')) : resolve()) });
    }).then(work);
  }

  settle(index: number, fails: boolean): void {
    const [one] = this.waiting.splice(index % Math.max(this.waiting.length, 1), 1);
    one?.settle(fails);
  }

  /** Nobody is there any more to be answered. */
  abandon(): void {
    this.waiting = [];
  }

  open(): void {
    this.closed.clear();
    for (const one of this.waiting.splice(0)) one.settle(false);
  }
}

/** One client after another, and the processes that it meets. Everything happens when a step says so. */
export class LifeBench {
  readonly oracle: LifeOracle;
  readonly module: HubPipelineModule;
  private readonly clock = new VirtualClock();
  private readonly stages = new Stages();
  private process: Process;
  private client: Client | undefined;
  private clients = 0;
  private epochs = 0;
  private readonly unnoticed = new Set<FakeTransport>();
  /** The cursor of the request whose stages run. */
  private readonly cursors = new Map<ConnectionRecord, string | undefined>();

  constructor(private readonly isSlow: boolean) {
    this.module = this.makeModule();
    this.process = this.boot();
    this.oracle = new LifeOracle(this.process.watched);
    this.process.callWitness();
  }

  /** Does all steps, comes to rest, and looks whether everything is as it should be. */
  async run(steps: readonly LifeStep[]): Promise<void> {
    for (const step of steps) {
      await this.step(step);
      await settle();
      if (this.isFlowing) await this.flow();
      this.check();
    }
    await this.rest();
    this.check();
  }

  published(topics: readonly string[], body: EncodedMessage, position: number): void {
    const bytes = body.encoded(fakeProtocol);
    if (bytes === undefined) return;
    const number = Number(String(bytes));
    this.oracle.published(topics, number, this.excepted.get(number), position);
  }

  private isFlowing = true;
  private readonly excepted = new Map<number, string>();

  private async step(step: LifeStep): Promise<void> {
    const { dispatcher, registry } = this.process;
    const record = this.client === undefined ? undefined : registry.find(this.client.id);
    switch (step.kind) {
      case 'connect':
        if (this.client === undefined || this.isOver(this.client)) this.connect(step.transport, step.hubs);
        return;
      case 'start':
        if (record !== undefined) dispatcher.connect(record).catch(() => undefined);
        return;
      case 'poll':
        return this.poll();
      case 'resume':
        return this.resume(step.hubs, step.cursor, step.isGone);
      case 'read':
        return this.read(step.frames);
      case 'drop':
        this.read(step.frames);
        return this.abandon();
      case 'notice':
        return this.notice();
      case 'abort':
        if (record === undefined) return;
        void dispatcher.end(record, 'client', { kind: 'ended', reason: 'client', allowReconnect: false }, 'final');
        return this.expectEnd(record, 'client');
      case 'kick':
        if (record === undefined) return;
        dispatcher.abort(record);
        return this.expectEnd(record, 'kicked');
      case 'stop':
        // What it waits for is opened when everything comes to rest.
        void dispatcher.endAll();
        return this.expectEnd(record, 'server-stop');
      case 'restart':
        return this.restart();
      case 'publish':
        return this.publish(step);
      case 'join': {
        if (record === undefined) return;
        const isOver = record.hubs.get(step.hub)?.refused === true;
        const moment = isOver ? undefined : this.oracle.joining(record, `${step.hub}/${step.group}`);
        const joined = dispatcher.groupChanges.join(this.describe(step.hub), record.id, step.group, undefined);
        if (moment !== undefined) this.oracle.settle(moment, joined);
        else if (joined !== 'gone') this.oracle.note('a connection joins a group of a hub that refused it');
        return;
      }
      case 'leave':
        if (record === undefined) return;
        this.oracle.lives.get(record)?.groups.leave(`${step.hub}/${step.group}`);
        void dispatcher.groupChanges.leave(this.describe(step.hub), record.id, step.group, undefined);
        return;
      case 'revoke':
        for (const held of registry) this.oracle.lives.get(held)?.groups.leave(`${step.hub}/${step.group}`);
        this.oracle.revoking(`${step.hub}/${step.group}`);
        return dispatcher.revoke(this.describe(step.hub), step.group, { user: user.id });
      case 'wait':
        for (let count = 0; count < step.halves; count++) {
          this.oracle.pass(stepMs);
          await this.clock.advance(stepMs);
        }
        return;
      case 'close':
        this.stages.closed.add(step.stage);
        return;
      case 'open':
        this.stages.closed.delete(step.stage);
        return;
      case 'settle':
        return this.stages.settle(step.index, step.fails);
      case 'answer':
        this.stages.drops = step.drops;
        this.stages.adds = step.adds;
        return;
      case 'forbid':
        this.stages.forbidden.add(step.hub);
        return;
      case 'allow':
        this.stages.forbidden.delete(step.hub);
        return;
      case 'flow':
      case 'stall':
        this.isFlowing = step.kind === 'flow';
        return;
      case 'bus':
        this.process.slowBus?.work(step.work);
        this.process.slowBus?.answer(step.answers);
    }
  }

  // The client.

  private connect(kind: TransportKind, hubs: readonly string[]): void {
    const { bus } = this.process.dispatcher.ground;
    const id = `client-${++this.clients}`;
    const transport = this.makeTransport(kind);
    const floor = bus.writePosition(bus.head);
    this.client = { id, kind, floor, hubs, transport, cursor: undefined, token: undefined };
    this.oracle.startsAfter = this.oracle.count;
    this.openConnection(this.client, transport).catch((error: unknown) => (transport.refusal = error));
  }

  private async openConnection({ id, kind, floor, hubs }: Client, transport: FakeTransport): Promise<void> {
    const { dispatcher, watched } = this.process;
    const { allowed } = await dispatcher.authorizeConnect(this.process.hubs(hubs), request, user, undefined);
    if (allowed.length === 0 && hubs.length > 0) throw new Error('Forbidden.');
    const record = dispatcher.open({ connectionId: id, user, request, traits, position: floor });
    this.oracle.watch(record, undefined);
    const generation = record.claim({ request, user, arrival: 0 });
    transport.carry(record, generation);
    await record.subscriptions.listenAll(allowed);
    if (transport.isGone) return;
    if (!record.isCurrent(generation)) throw new Error('It has ended.');
    this.oracle.startsAfter = this.oracle.count;
    transport.underWay.push({ messages: [], cursor: watched.bus.writePosition(record.head), token: undefined });
    // The first answer to a poll is the greeting alone.
    if (kind === 'batch') record.transportOver(transport.asTransport, 'taken');
    else record.attach(transport.asTransport, record.head);
  }

  private resume(hubs: readonly string[], which: 'own' | 'none' | 'garbage', isGone = false): void {
    const { client } = this;
    if (client?.cursor === undefined) return;
    const cursor = { own: client.cursor, none: undefined, garbage: '?' }[which];
    const transport = this.replaceTransport(client);
    transport.isGone = isGone;
    client.hubs = hubs;
    const { dispatcher, registry, watched } = this.process;
    if (registry.howEnded(client.id) === 'final') {
      transport.refusal = 'It has ended.';
      return;
    }
    const claim = { connectionId: client.id, userId: user.id, position: client.floor };
    const { token } = client;
    dispatcher
      .resume(
        {
          claim,
          user,
          request,
          hubs: this.process.hubs(hubs),
          cursor,
          groupsToken: token,
          traits,
          arrival: 0,
          isGone: () => transport.isGone,
        },
        (record, generation) => {
          if (watched !== this.process.watched) return;
          this.oracle.watch(record, token);
          if (registry.isClosed) this.oracle.note('a server that stops resumes a connection');
          if (record.resuming === undefined) this.cursors.set(record, cursor);
          transport.carry(record, generation);
        },
      )
      .then(({ record, generation, owed }) => {
        if (watched !== this.process.watched) return;
        if (which !== 'own') this.oracle.sharedWithoutCursor();
        if (transport.isGone) return;
        if (record.isCurrent(generation)) record.attach(transport.asTransport, owed);
        else transport.end({ kind: 'replaced' });
      })
      .catch((error: Error) => {
        transport.refusal = error;
        if (watched === this.process.watched) this.oracle.refused(transport.record, transport.generation, error);
      });
  }

  /** A poll of a connection that is held and connected is no resume. */
  private poll(): void {
    const { client } = this;
    if (client?.cursor === undefined || client.kind === 'live') return;
    const { registry, watched } = this.process;
    const record = registry.find(client.id);
    if (record?.state !== 'connected' && record?.state !== 'opening') {
      this.resume(client.hubs, 'own');
      return;
    }
    const reading = watched.bus.readPosition(client.cursor);
    // A cursor of another process is before everything of this one.
    const place = reading.kind === 'here' ? reading.position : 0;
    const transport = this.replaceTransport(client);
    transport.carry(record, record.claim({ request, user, arrival: 0 }));
    record.presents(client.token);
    record.attach(transport.asTransport, Math.max(place, record.floor));
  }

  private read(frames: number): void {
    const { client } = this;
    if (client === undefined || this.unnoticed.has(client.transport) || client.transport.isGone) return;
    for (const frame of client.transport.underWay.splice(0, frames)) {
      this.oracle.read(frame);
      client.cursor = frame.cursor;
      client.token = frame.token ?? client.token;
    }
  }

  private abandon(): void {
    if (this.client === undefined) return;
    this.client.transport.underWay.length = 0;
    this.unnoticed.add(this.client.transport);
  }

  private notice(): void {
    for (const transport of this.unnoticed) transport.notice();
    this.unnoticed.clear();
  }

  private replaceTransport(client: Client): FakeTransport {
    this.abandon();
    client.transport = this.makeTransport(client.kind);
    return client.transport;
  }

  private makeTransport(kind: TransportKind): FakeTransport {
    const transport: FakeTransport = new FakeTransport(kind, (frame) => {
      if (transport.record !== undefined) this.oracle.written(transport.record, frame);
    });
    return transport;
  }

  /** Whether nothing can come of this client any more. */
  private isOver({ id, cursor, transport }: Client): boolean {
    if (this.process.registry.howEnded(id) === 'final') return true;
    return (
      cursor === undefined && (transport.refusal !== undefined || this.unnoticed.has(transport) || transport.isGone)
    );
  }

  // The server.

  private boot(): Process {
    return new Process(this, this.clock, this.isSlow, `process${++this.epochs}`);
  }

  private async restart(): Promise<void> {
    this.process.kill();
    // Tokens and revocations of two processes are told apart by the time.
    await this.clock.advance(stepMs);
    this.abandon();
    this.unnoticed.clear();
    this.stages.abandon();
    this.process = this.boot();
    this.oracle.restart(this.process.watched);
    this.process.callWitness();
    this.cursors.clear();
  }

  private describe(name: string): HubDescriptor {
    return this.process.hubs([name])[0] as HubDescriptor;
  }

  private publish({ hub: name, to, except }: LifeStep & { readonly kind: 'publish' }): void {
    const number = ++this.oracle.count;
    const { clients } = this.process.dispatcher.handle(this.describe(name));
    const id = this.client?.id ?? 'nobody';
    if (except && typeof to !== 'string') this.excepted.set(number, id);
    const target =
      to === 'hub'
        ? clients.all
        : to === 'user'
          ? clients.user(user.id)
          : to === 'connection'
            ? clients.client(id)
            : clients.groups(to, except ? { except: [id] } : {});
    (target as unknown as BenchClient).message(number);
  }

  private expectEnd(record: ConnectionRecord | undefined, reason: string): void {
    if (record !== undefined && record.endReason !== reason) this.oracle.note(`it ends as ${record.endReason}`);
  }

  // Modules.

  private makeModule(): HubPipelineModule {
    const event =
      (kind: 'connect' | 'reconnect' | 'disconnect') =>
      async (context: ConnectionEvent, next: () => void | Promise<void>): Promise<void> => {
        const record = context.connection as ConnectionRecord;
        const one = this.oracle.eventBegins(record, context.hub.key, kind);
        try {
          await this.stages.pass(kind, next);
          if (kind !== 'disconnect') one.completed++;
        } finally {
          if (kind !== 'disconnect') one.running--;
        }
      };
    const reconnect = event('reconnect');
    return {
      name: 'bench',
      authorizeConnect: ({ hub: { key } }, next) =>
        this.stages.pass('authorizeConnect', () => (this.stages.forbidden.has(key) ? false : next())),
      connect: event('connect'),
      rejoiningGroups: (context, next) => {
        const record = context.connection as ConnectionRecord;
        const { key } = context.hub;
        this.oracle.claims(record, key, context.claimed);
        return this.noteStage(record, () =>
          this.stages.pass('rejoiningGroups', async () => {
            const claimed = await next();
            return [...new Set([...claimed, ...this.stages.adds])].filter(
              (group) => !this.stages.drops.includes(group),
            );
          }),
        );
      },
      reconnect: (context, next) => {
        const record = context.connection as ConnectionRecord;
        this.oracle.reconnecting(record, context.resume, context.hub.key, this.cursors.get(record));
        return this.noteStage(record, () => reconnect(context, next));
      },
      disconnect: event('disconnect'),
    };
  }

  private async noteStage<T>(record: ConnectionRecord, work: () => T | Promise<T>): Promise<T> {
    const stage = this.oracle.stageBegins(record);
    try {
      const result = await work();
      // What comes after the deadline does not count.
      stage.ok = this.clock.now() - stage.startedAt < rejoinDeadlineMs;
      return result;
    } catch (error) {
      stage.ok = false;
      throw error;
    }
  }

  // Looking.

  private check(): void {
    for (const record of this.process.registry) this.oracle.check(record);
    this.oracle.checkAway();
    expect(this.oracle.violations.join('; ')).to.equal('');
  }

  /** Lets everything happen that can, brings the client back, and gives it what is its own. */
  private async rest(): Promise<void> {
    this.stages.drops = [];
    this.stages.adds = [];
    this.stages.forbidden.clear();
    if (this.process.registry.isClosed) await this.restart();
    await this.quiet();
    this.notice();
    for (let attempt = 0; attempt < 20 && !this.isAtRest(); attempt++) {
      this.read(Infinity);
      const record = this.current();
      if (record?.state === 'opening') void this.process.dispatcher.connect(record).catch(() => undefined);
      else if (!this.isAttached()) {
        if (this.client?.kind === 'batch') this.poll();
        else this.resume(hubNames, 'own');
      }
      await this.quiet();
    }
    if (!this.isAtRest()) this.oracle.note('it does not come to rest');
    const record = this.current();
    if (record !== undefined && this.client?.cursor !== undefined) this.oracle.checkRest(record, this.client.token);
    await this.finish();
  }

  private current(): ConnectionRecord | undefined {
    return this.client === undefined ? undefined : this.process.registry.find(this.client.id);
  }

  private isAttached(): boolean {
    const { client } = this;
    return client !== undefined && this.current()?.delivery.transport === client.transport.asTransport;
  }

  private isAtRest(): boolean {
    const { client } = this;
    if (client === undefined || this.isOver(client)) return true;
    if (client.transport.underWay.length > 0) return false;
    // A connection whose client never heard of it cannot come back.
    if (client.cursor === undefined) return true;
    return this.isAttached() && this.current()?.state === 'connected';
  }

  private async quiet(): Promise<void> {
    for (let turn = 0; turn < 4; turn++) {
      this.stages.open();
      await settle();
      await this.flow();
    }
  }

  /** The bus does all that it was asked for, and answers. */
  private async flow(): Promise<void> {
    const { slowBus } = this.process;
    while (slowBus?.isIdle === false) {
      slowBus.work(Infinity);
      slowBus.answer(Infinity);
      await settle();
    }
  }

  private async finish(): Promise<void> {
    const { dispatcher, watched, registry } = this.process;
    const ended = dispatcher.endAll();
    await this.quiet();
    await ended;
    this.oracle.checkEnds();
    this.process.dismissWitness();
    expect([...registry]).to.deep.equal([]);
    expect([...watched.bus.naive.topics.keys()]).to.deep.equal([]);
    expect([watched.bus.topicCount, watched.bus.logBytes]).to.deep.equal([0, 0]);
  }
}
