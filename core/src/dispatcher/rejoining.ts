import { isPromise, type Awaitable } from '../awaitable.js';
import type { ConnectionRecord } from '../connections/connection-record.js';
import { hubError } from '../errors.js';
import { openGroupsToken, type GroupsClaim } from '../groups/groups-token.js';
import type { HubDescriptor } from '../hubs/hub-descriptor.js';
import { groupTopic } from '../messaging/topic-name.js';
import type { PipelineChains } from '../pipeline/hub-pipeline.js';
import { RejoiningGroupsContext } from '../pipeline/stage-contexts.js';
import type { ContextServices } from '../pipeline/stage-context.js';
import { withDeadline } from './deadline.js';
import type { DispatcherGround } from './dispatcher-ground.js';
import type { HubEvents } from './hub-events.js';
import type { Lifecycle } from './lifecycle.js';
import { Refusal } from './refusal.js';
import { placeOf } from './replay.js';

/** What `rejoiningGroups` has made of one hub's claims. */
export interface Rejoined {
  readonly hub: HubDescriptor;
  readonly claimed: readonly string[];
  readonly answer: readonly string[];
  readonly reasons: ReadonlyMap<string, string>;
  /** Claims that were revoked while the client was away, or since its token was issued. */
  readonly revoked: readonly string[];
}

/** The groups of a client that comes back: what it claims, what the `rejoiningGroups` stage says, what it is told. */
export class Rejoining {
  constructor(
    private readonly ground: DispatcherGround,
    private readonly services: ContextServices,
    private readonly events: HubEvents,
    private readonly lifecycle: Lifecycle,
    private readonly chains: () => PipelineChains,
  ) {}

  /** Puts the groups of a believable token in front of the stages; what was revoked since is not claimed. */
  async restoreClaims(record: ConnectionRecord, presented: string | undefined): Promise<void> {
    const token = this.believe(record, presented);
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
  async rejoin(record: ConnectionRecord, hubs: readonly HubDescriptor[]): Promise<readonly Rejoined[]> {
    return allDone(
      hubs.map(async (hub) => {
        const claimed = record.memberships.of(hub.key);
        const revoked = revokedOf(record, hub);
        const context = new RejoiningGroupsContext(hub, this.services, record, claimed);
        const { clock, limits } = this.ground;
        const deadline = { stage: 'rejoiningGroups', hub: hub.name, deadlineMs: limits.rejoinDeadlineMs } as const;
        try {
          const answer = await withDeadline(clock, deadline, () => this.chains().rejoiningGroups(context));
          checkAnswer(answer, limits.maxGroupNameLength);
          checkStillResuming(record);
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

  /** The client is told its groups if what it presented does not say so already. */
  renewToken(record: ConnectionRecord, presented: string | undefined, newLife: boolean): void {
    const { memberships } = record;
    const half = this.ground.limits.groupsTokenLifetimeMs / 2;
    if (newLife) {
      const claim = this.believe(record, presented);
      const ageMs = claim === undefined ? 0 : this.ground.clock.now() - claim.issuedAt / 1_000;
      if (presented !== undefined && (claim?.groups === undefined || ageMs >= half)) memberships.changed = true;
      record.lastGroupsToken = presented;
      if (claim !== undefined) record.renewTokenAfter(Math.max(0, half - ageMs));
    } else record.presents(presented);
  }
}

/** What the stages bring back counts only in the stay in which they began. */
export function checkStillResuming(record: ConnectionRecord): void {
  if (record.state !== 'resuming') throw new Refusal(503, 'The connection has ended.');
}

/** Waits for all, whatever becomes of the others; then throws the first failure. */
export async function allDone<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  const outcomes = await Promise.allSettled(work);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

function revokedOf(record: ConnectionRecord, hub: HubDescriptor): readonly string[] {
  const prefix = groupTopic(hub.key, '');
  return [...record.revokedAway].filter((topic) => topic.startsWith(prefix)).map((topic) => topic.slice(prefix.length));
}

/** Why claims have not come back. The answer wins over what a module said beside it. */
export function refusedOf(
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
