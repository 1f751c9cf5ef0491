import { allOf } from '../awaitable.js';
import { ConnectionRecord, type RecordGround } from '../connections/connection-record.js';
import type { ConnectionTraits, ResumeOutcome } from '../connections/connection-traits.js';
import type { ConnectionRequest, Resume } from '../connections/connection.js';
import type { HubDescriptor } from '../hubs/hub-descriptor.js';
import type { Position } from '../messaging/position.js';
import type { PipelineChains } from '../pipeline/hub-pipeline.js';
import { ReconnectContext } from '../pipeline/stage-contexts.js';
import type { ContextServices } from '../pipeline/stage-context.js';
import type { ConnectionClaim } from '../security/connection-token.js';
import type { User } from '../security/user.js';
import { withDeadline } from './deadline.js';
import type { DispatcherGround } from './dispatcher-ground.js';
import type { Lifecycle } from './lifecycle.js';
import { Refusal, register } from './refusal.js';
import { allDone, checkStillResuming, refusedOf, type Rejoined, type Rejoining } from './rejoining.js';
import { placeOf, readOwed, type OwedMessages } from './replay.js';

/** A client that has come back. */
export interface ResumeRequest {
  readonly claim: ConnectionClaim;
  readonly user: User;
  readonly request: ConnectionRequest;
  readonly hubs: readonly HubDescriptor[];
  /** The place up to which the client has received. */
  readonly cursor: string | undefined;
  readonly groupsToken: string | undefined;
  readonly traits: ConnectionTraits;
  /** Its place among all requests. */
  readonly arrival: number;
  /** Whether its client has left. */
  isGone(): boolean;
}

/** A resume whose stages have let it through; `owed` goes to `record.attach` with the new transport. */
export interface Resumed {
  readonly record: ConnectionRecord;
  readonly generation: number;
  readonly owed: OwedMessages;
}

/** Brings a client back: authorizeConnect, rejoiningGroups, reconnect; then what it missed. */
export class Resumes {
  constructor(
    private readonly ground: DispatcherGround,
    private readonly services: ContextServices,
    private readonly rejoining: Rejoining,
    private readonly lifecycle: Lifecycle,
    private readonly chains: () => PipelineChains,
    private readonly records: RecordGround,
  ) {}

  /**
   * The request becomes the connection's transport at once; `claimed` is told when it does, which may be after another
   * resume has ended.
   *
   * Throws a `Refusal`.
   */
  async resume(
    given: ResumeRequest,
    claimed: (record: ConnectionRecord, generation: number) => void,
  ): Promise<Resumed> {
    const id = given.claim.connectionId;
    for (;;) {
      const held = this.ground.registry.find(id);
      if (this.ground.registry.howEnded(id) === 'final') throw new Refusal(403, 'The connection has ended.');
      const running = held?.resuming;
      if (running !== undefined && running.hubs !== keyOf(given.hubs)) {
        await running.outcome.then(undefined, () => undefined);
        if (given.isGone()) throw new Refusal(503, 'The client has left.');
        continue;
      }
      if (held?.isOvertaken(given) === true) throw Refusal.overtaken();
      if (held?.state === 'opening') return this.reopen(held, given, claimed);
      const record = held ?? this.revive(given);
      const generation = record.claim(given);
      claimed(record, generation);
      if (running !== undefined) {
        const told = await running.outcome;
        return this.share(record, generation, given, told);
      }
      return { record, generation, owed: await this.start(record, given, held === undefined) };
    }
  }

  /** A connection that was never confirmed: authorized again, and then `connect` runs. */
  private async reopen(
    record: ConnectionRecord,
    given: ResumeRequest,
    claimed: (record: ConnectionRecord, generation: number) => void,
  ): Promise<Resumed> {
    const generation = record.claim(given);
    claimed(record, generation);
    try {
      await this.readmit(record, given);
      await this.lifecycle.connect(record);
      record.presents(given.groupsToken);
      const owed = await readOwed(this.ground.bus, record, given.cursor);
      // Connected now, it resumes at its next request, and hubs are told that something is missing.
      if (!owed.complete) throw new Refusal(503, 'Messages were lost before the connection was confirmed.');
      return { record, generation, owed };
    } catch (error) {
      record.lose(generation);
      throw Refusal.from(error);
    }
  }

  /**
   * Authorizes a connection in OPENING again. Its hubs are those of the last request, until `connect` runs for them.
   *
   * Throws a `Refusal`.
   */
  async readmit(record: ConnectionRecord, given: Pick<ResumeRequest, 'hubs' | 'request' | 'user'>): Promise<void> {
    const allowed = await this.authorize(record, given);
    if (record.connecting === undefined) await this.listenOnlyTo(record, allowed, undefined);
    if (record.state === 'ended') throw new Refusal(503, 'The connection has ended.');
  }

  /** The stages have run for another request; this one's client may have received another part. */
  private async share(
    record: ConnectionRecord,
    generation: number,
    given: ResumeRequest,
    told: ResumeOutcome,
  ): Promise<Resumed> {
    const { bus } = this.ground;
    const owed = await readOwed(bus, record, given.cursor, told.upTo);
    if (owed.complete) return { record, generation, owed };
    if (!told.complete) {
      const since = await readOwed(bus, record, bus.writePosition(told.upTo));
      if (since.complete) return { record, generation, owed };
    }
    // The hubs were not told that something is missing: the next request tells them.
    record.lose(generation);
    throw new Refusal(503, 'Messages were lost while the connection resumed.');
  }

  /** Begins a new life: the tokens speak alone. */
  private revive(given: ResumeRequest): ConnectionRecord {
    const { bus, registry } = this.ground;
    const floor = placeOf(bus.readPosition(given.claim.position), bus.head);
    const record = new ConnectionRecord(
      given.claim.connectionId,
      given.user,
      given.request,
      given.traits,
      floor,
      this.records,
    );
    record.state = 'resuming';
    register(registry, record);
    return record;
  }

  private async start(record: ConnectionRecord, given: ResumeRequest, newLife: boolean): Promise<OwedMessages> {
    if (!newLife && !record.beginResume()) throw new Refusal(503, 'The connection has ended.');
    const running = this.run(record, given, newLife);
    record.resuming = { hubs: keyOf(given.hubs), outcome: running };
    record.resuming.outcome.then(undefined, () => undefined);
    try {
      return await running;
    } finally {
      record.resuming = undefined;
    }
  }

  /** Gives what is owed; `complete` is what the hubs were told. */
  private async run(record: ConnectionRecord, given: ResumeRequest, newLife: boolean): Promise<OwedMessages> {
    const downForMs = newLife ? undefined : record.downForMs;
    try {
      const hubs = await this.authorize(record, given);
      checkStillResuming(record);
      await this.listenOnlyTo(record, hubs, newLife ? record.floor : undefined);
      if (newLife) await this.rejoining.restoreClaims(record, given.groupsToken);
      checkStillResuming(record);
      record.memberships.beginRejoin();
      const rejoined = await this.rejoining.rejoin(record, hubs);
      const owed = await readOwed(this.ground.bus, record, given.cursor);
      checkStillResuming(record);
      const complete = owed.complete && !newLife;
      await this.tellReconnected(record, rejoined, { complete, newLife, downForMs });
      checkStillResuming(record);
      record.memberships.commitRejoin();
      record.revokedAway.clear();
      this.rejoining.renewToken(record, given.groupsToken, newLife);
      record.endResume(true);
      record.calls.open();
      return { ...owed, complete };
    } catch (error) {
      this.giveUp(record, newLife);
      throw Refusal.from(error);
    }
  }

  /** Which of the hubs that a request lists are allowed; who is allowed none is sent away. */
  private async authorize(
    record: ConnectionRecord,
    { hubs, request, user }: Pick<ResumeRequest, 'hubs' | 'request' | 'user'>,
  ): Promise<readonly HubDescriptor[]> {
    const open = hubs.filter((hub) => !record.subscriptions.link(hub.key).refused);
    const answer = await this.lifecycle.authorize(open, request, user, record);
    if (record.state === 'ended') throw new Refusal(503, 'The connection has ended.');
    // Another request's answer may have come meanwhile: a hub that was refused stays so.
    const allowed = answer.allowed.filter((hub) => !record.subscriptions.link(hub.key).refused);
    for (const hub of answer.refused) this.refuseHub(record, hub);
    if (allowed.length > 0 || hubs.length === 0) return allowed;
    const ending = { kind: 'ended', reason: 'auth', allowReconnect: false } as const;
    void this.lifecycle.end(record, 'auth', ending, 'resumable');
    throw Refusal.of(user);
  }

  private async listenOnlyTo(
    record: ConnectionRecord,
    hubs: readonly HubDescriptor[],
    since: Position | undefined,
  ): Promise<void> {
    for (const link of record.hubs.values())
      if (!hubs.some(({ key }) => key === link.hub)) record.subscriptions.unlisten(link.hub);
    await allOf(hubs.map((hub) => record.subscriptions.listen(hub.key, since)));
  }

  private refuseHub(record: ConnectionRecord, hub: HubDescriptor): void {
    const link = record.subscriptions.link(hub.key);
    link.refused = true;
    for (const group of record.memberships.of(hub.key)) record.memberships.leave(hub.key, group);
    record.subscriptions.unlisten(hub.key);
    void this.lifecycle.tell(record, link, 'auth');
  }

  private async tellReconnected(
    record: ConnectionRecord,
    rejoined: readonly Rejoined[],
    found: Pick<Resume, 'complete' | 'newLife' | 'downForMs'>,
  ): Promise<void> {
    await allDone(
      rejoined.map(async (one) => {
        const { hub } = one;
        const groups = record.memberships.of(hub.key);
        const resume: Resume = { ...found, groups, refused: refusedOf(record, one, groups) };
        const context = new ReconnectContext(hub, this.services, record, resume);
        const { clock, limits } = this.ground;
        const deadline = { stage: 'reconnect', hub: hub.name, deadlineMs: limits.rejoinDeadlineMs } as const;
        try {
          await withDeadline(clock, deadline, () =>
            this.lifecycle.begin(record, hub, context, () => this.chains().reconnect(context)),
          );
        } catch (error) {
          context.isOver = true;
          this.lifecycle.report(error, hub, 'reconnect');
          throw error;
        }
      }),
    );
  }

  /** As if the request had not come: what was there is there again; a new life has not begun. */
  private giveUp(record: ConnectionRecord, newLife: boolean): void {
    record.memberships.rollbackRejoin();
    if (record.state !== 'resuming') return;
    if (!newLife) {
      record.endResume(false);
      return;
    }
    record.end('error', { kind: 'lost' });
    this.ground.registry.remove(record);
    void this.lifecycle.tellAll(record, 'error');
  }
}

function keyOf(hubs: readonly HubDescriptor[]): string {
  return hubs
    .map(({ key }) => key)
    .sort()
    .join('/');
}
