import { allOf, isPromise, type Awaitable } from '../awaitable.js';
import {
  ConnectionRecord,
  type ConnectionTraits,
  type RecordGround,
  type ResumeOutcome,
} from '../connections/connection-record.js';
import type { ConnectionRequest, Resume } from '../connections/connection.js';
import { hubError } from '../errors.js';
import { openGroupsToken, type GroupsClaim } from '../groups/groups-token.js';
import type { HubDescriptor } from '../hubs/hub-descriptor.js';
import type { Position } from '../messaging/position.js';
import { groupTopic } from '../messaging/topic-name.js';
import type { PipelineChains } from '../pipeline/hub-pipeline.js';
import { ReconnectContext, RejoiningGroupsContext, type ContextServices } from '../pipeline/stage-contexts.js';
import type { ConnectionClaim } from '../security/connection-token.js';
import type { User } from '../security/user.js';
import { withDeadline } from './deadline.js';
import type { DispatcherGround } from './dispatcher-ground.js';
import type { HubEvents } from './hub-events.js';
import type { Lifecycle } from './lifecycle.js';
import { Refusal, register } from './refusal.js';
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
}

/** A resume whose stages have let it through; `owed` goes to `record.attach` with the new transport. */
export interface Resumed {
  readonly record: ConnectionRecord;
  readonly generation: number;
  readonly owed: OwedMessages;
}

/** What `rejoiningGroups` has made of one hub's claims. */
interface Rejoined {
  readonly hub: HubDescriptor;
  readonly claimed: readonly string[];
  readonly answer: readonly string[];
  readonly reasons: ReadonlyMap<string, string>;
  /** Claims that were revoked while the client was away, or since its token was issued. */
  readonly revoked: readonly string[];
}

/** Brings a client back: authorizeConnect, rejoiningGroups, reconnect; then what it missed. */
export class Resumes {
  constructor(
    private readonly ground: DispatcherGround,
    private readonly services: ContextServices,
    private readonly events: HubEvents,
    private readonly lifecycle: Lifecycle,
    private readonly chains: () => PipelineChains,
    private readonly records: RecordGround,
  ) {}

  /**
   * The request becomes the connection's transport at once. `gone` tells whether its socket still is there; `claimed`
   * is given what the transport needs as soon as that is so.
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
        continue;
      }
      if (held?.state === 'opening') return this.reopen(held, given, claimed);
      const record = held ?? this.revive(given);
      const generation = record.claim(given.request);
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
    const generation = record.claim(given.request);
    claimed(record, generation);
    try {
      await this.readmit(record, given);
      await this.lifecycle.connect(record);
      record.presents(given.groupsToken);
      return { record, generation, owed: await readOwed(this.ground.bus, record, given.cursor) };
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
    const owed = await readOwed(this.ground.bus, record, given.cursor, told.upTo);
    if (owed.complete || !told.complete) return { record, generation, owed };
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
      this.checkStill(record);
      await this.listenOnlyTo(record, hubs, newLife ? record.floor : undefined);
      if (newLife) await this.restoreClaims(record, given);
      this.checkStill(record);
      record.memberships.beginRejoin();
      const rejoined = await this.rejoin(record, hubs);
      const owed = await readOwed(this.ground.bus, record, given.cursor);
      this.checkStill(record);
      const complete = owed.complete && !newLife;
      await this.tellReconnected(record, rejoined, { complete, newLife, downForMs });
      this.checkStill(record);
      record.memberships.commitRejoin();
      record.revokedAway.clear();
      this.renewToken(record, given, newLife);
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
    const open = hubs.filter((hub) => !record.link(hub.key).refused);
    const answer = await this.lifecycle.authorize(open, request, user, record);
    if (record.state === 'ended') throw new Refusal(503, 'The connection has ended.');
    // Another request's answer may have come meanwhile: a hub that was refused stays so.
    const allowed = answer.allowed.filter((hub) => !record.link(hub.key).refused);
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
    for (const link of record.hubs.values()) if (!hubs.some(({ key }) => key === link.hub)) record.unlisten(link.hub);
    await allOf(hubs.map((hub) => record.listen(hub.key, since)));
  }

  private refuseHub(record: ConnectionRecord, hub: HubDescriptor): void {
    const link = record.link(hub.key);
    link.refused = true;
    for (const group of record.memberships.of(hub.key)) record.memberships.leave(hub.key, group);
    record.unlisten(hub.key);
    void this.lifecycle.tell(record, link, 'auth');
  }

  /** Puts the groups of a believable token in front of the stages; what was revoked since is not claimed. */
  private async restoreClaims(record: ConnectionRecord, given: ResumeRequest): Promise<void> {
    const token = this.believe(record, given.groupsToken);
    if (token?.groups === undefined) return;
    const { bus, revocations, limits } = this.ground;
    const since = placeOf(bus.readPosition(token.position), bus.head);
    for (const [hub, groups] of Object.entries(token.groups)) {
      if (record.hubs.get(hub)?.refused === true) {
        // Its groups are left, and the client is told so.
        record.memberships.changed = true;
        continue;
      }
      for (const group of groups) {
        if (revocations.covers(hub, group, record.id, record.user.id, token.issuedAt)) {
          record.revokedAway.add(groupTopic(hub, group));
          record.memberships.changed = true;
        } else if (record.memberships.size < limits.maxGroupsPerConnection)
          await record.memberships.restore(hub, group, since);
      }
    }
  }

  private believe(record: ConnectionRecord, token: string | undefined): GroupsClaim | undefined {
    if (token === undefined) return undefined;
    const claim = openGroupsToken(this.ground.protector, token);
    if (claim?.connectionId !== record.id || claim.userId !== record.user.id) return undefined;
    return this.ground.revocations.isExpired(claim.issuedAt) ? undefined : claim;
  }

  /** Each hub's answer is applied at once; all run, whatever becomes of the others. */
  private async rejoin(record: ConnectionRecord, hubs: readonly HubDescriptor[]): Promise<readonly Rejoined[]> {
    return all(
      hubs.map(async (hub) => {
        const claimed = record.memberships.of(hub.key);
        const revoked = revokedOf(record, hub);
        const context = new RejoiningGroupsContext(hub, this.services, record, claimed);
        const { deadline, clock } = this.deadline('rejoiningGroups', hub);
        try {
          const answer = await withDeadline(clock, deadline, () => this.chains().rejoiningGroups(context));
          checkAnswer(answer, this.ground.limits.maxGroupNameLength);
          this.checkStill(record);
          const applied: Awaitable<void> = record.memberships.applyRejoin(hub.key, claimed, answer);
          if (isPromise<void>(applied)) await applied;
          return { hub, claimed, answer, reasons: context.reasons, revoked };
        } catch (error) {
          this.lifecycle.report(error, hub, 'rejoiningGroups');
          throw error;
        } finally {
          await this.events.close(context);
        }
      }),
    );
  }

  private async tellReconnected(
    record: ConnectionRecord,
    rejoined: readonly Rejoined[],
    found: Pick<Resume, 'complete' | 'newLife' | 'downForMs'>,
  ): Promise<void> {
    await all(
      rejoined.map(async (one) => {
        const { hub } = one;
        const groups = record.memberships.of(hub.key);
        const resume: Resume = { ...found, groups, refused: refusedOf(record, one, groups) };
        const context = new ReconnectContext(hub, this.services, record, resume);
        const { deadline, clock } = this.deadline('reconnect', hub);
        try {
          await withDeadline(clock, deadline, () =>
            this.lifecycle.begin(record, hub, context, () => this.chains().reconnect(context)),
          );
        } catch (error) {
          this.lifecycle.report(error, hub, 'reconnect');
          throw error;
        }
      }),
    );
  }

  /** The client is told its groups if what it presented does not say so already. */
  private renewToken(record: ConnectionRecord, given: ResumeRequest, newLife: boolean): void {
    const { memberships } = record;
    const half = this.ground.limits.groupsTokenLifetimeMs / 2;
    if (newLife) {
      const claim = this.believe(record, given.groupsToken);
      const ageMs = claim === undefined ? 0 : this.ground.clock.now() - claim.issuedAt / 1_000;
      if (given.groupsToken !== undefined && (claim?.groups === undefined || ageMs >= half)) memberships.changed = true;
      record.lastGroupsToken = given.groupsToken;
      if (claim !== undefined) record.renewTokenAfter(Math.max(0, half - ageMs));
    } else record.presents(given.groupsToken);
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

  /** What the stages bring back counts only in the stay in which they began. */
  private checkStill(record: ConnectionRecord): void {
    if (record.state !== 'resuming') throw new Refusal(503, 'The connection has ended.');
  }

  private deadline(stage: 'rejoiningGroups' | 'reconnect', hub: HubDescriptor) {
    const { clock, limits } = this.ground;
    return { clock, deadline: { stage, hub: hub.name, deadlineMs: limits.rejoinDeadlineMs } };
  }
}

/** Waits for all, whatever becomes of the others; then throws the first failure. */
async function all<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  const outcomes = await Promise.allSettled(work);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

function keyOf(hubs: readonly HubDescriptor[]): string {
  return hubs
    .map(({ key }) => key)
    .sort()
    .join('/');
}

function revokedOf(record: ConnectionRecord, hub: HubDescriptor): readonly string[] {
  const prefix = groupTopic(hub.key, '');
  return [...record.revokedAway].filter((topic) => topic.startsWith(prefix)).map((topic) => topic.slice(prefix.length));
}

/** Why claims have not come back. The answer wins over what a module said beside it. */
function refusedOf(
  record: ConnectionRecord,
  rejoined: Rejoined,
  groups: readonly string[],
): ReadonlyMap<string, string> {
  const { hub, claimed, answer, reasons } = rejoined;
  const present = new Set(groups);
  const refused = new Map<string, string>();
  for (const group of [...rejoined.revoked, ...revokedOf(record, hub)])
    if (!present.has(group)) refused.set(group, 'revoked');
  const answered = new Set(answer);
  for (const group of claimed)
    if (!present.has(group) && !refused.has(group) && !answered.has(group))
      refused.set(group, reasons.get(group) ?? 'dropped');
  return refused;
}

function checkAnswer(answer: unknown, maxLength: number): asserts answer is readonly string[] {
  const isName = (group: unknown) => typeof group === 'string' && group !== '' && group.length <= maxLength;
  if (!Array.isArray(answer) || !answer.every(isName))
    throw hubError('HUB_STAGE_RESULT_INVALID', { stage: 'rejoiningGroups', expected: 'a list of names of groups' });
}
