import fc from 'fast-check';
import type { TransportKind } from './fake-transport.js';
import { sequenceOf, someOf } from './property.js';

export const hubNames = ['chat', 'game'] as const;
export const groupNames = ['a', 'b'] as const;
export const stageNames = ['authorizeConnect', 'connect', 'rejoiningGroups', 'reconnect', 'disconnect'] as const;
export type StageName = (typeof stageNames)[number];

/** One thing that happens to a connection. What makes no sense at the moment has no effect. */
export type LifeStep =
  // What a client does.
  | { readonly kind: 'connect'; readonly transport: TransportKind; readonly hubs: readonly string[] }
  | { readonly kind: 'start' | 'poll' | 'abort' }
  | {
      readonly kind: 'resume';
      readonly hubs: readonly string[];
      readonly cursor: 'own' | 'none' | 'garbage';
      readonly isGone: boolean;
    }
  | { readonly kind: 'read'; readonly frames: number }
  /** It reads some of what is under way, loses the rest, and is gone. */
  | { readonly kind: 'drop'; readonly frames: number }
  // What the server does, or is told.
  | { readonly kind: 'notice' | 'kick' | 'stop' | 'restart' }
  | {
      readonly kind: 'publish';
      readonly hub: string;
      readonly to: 'hub' | 'user' | 'connection' | readonly string[];
      readonly except: boolean;
    }
  | { readonly kind: 'join' | 'leave' | 'revoke'; readonly hub: string; readonly group: string }
  /** In half seconds. */
  | { readonly kind: 'wait'; readonly halves: number }
  // What modules do.
  | { readonly kind: 'close' | 'open'; readonly stage: StageName }
  | { readonly kind: 'settle'; readonly index: number; readonly fails: boolean }
  | { readonly kind: 'answer'; readonly drops: readonly string[]; readonly adds: readonly string[] }
  | { readonly kind: 'forbid' | 'allow'; readonly hub: string }
  // What a bus that answers later does: it goes on by itself, or only as far as it is told.
  | { readonly kind: 'flow' | 'stall' }
  | { readonly kind: 'bus'; readonly work: number; readonly answers: number };

const only = <T extends string>(kind: T): fc.Arbitrary<T> => fc.constant(kind);
const hub = fc.constantFrom(...hubNames);
const group = fc.constantFrom(...groupNames);
const listed = fc.oneof(
  { weight: 6, arbitrary: fc.constant<readonly string[]>(hubNames) },
  { weight: 1, arbitrary: someOf<string>(...hubNames) },
);
const rarely = fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });
const transport = fc.oneof({ weight: 3, arbitrary: only('live') }, { weight: 1, arbitrary: only('batch') });

const arbitraries = {
  connect: fc.record({ kind: only('connect'), transport, hubs: listed }),
  start: fc.record({ kind: only('start') }),
  poll: fc.record({ kind: only('poll') }),
  abort: fc.record({ kind: only('abort') }),
  resume: fc.record({
    kind: only('resume'),
    hubs: listed,
    cursor: fc.oneof(
      { weight: 12, arbitrary: only('own') },
      { weight: 1, arbitrary: fc.constantFrom('none' as const, 'garbage' as const) },
    ),
    // It may have left before it is looked at.
    isGone: rarely,
  }),
  read: fc.record({ kind: only('read'), frames: fc.integer({ min: 1, max: 4 }) }),
  drop: fc.record({ kind: only('drop'), frames: fc.nat(3) }),
  notice: fc.record({ kind: only('notice') }),
  kick: fc.record({ kind: only('kick') }),
  stop: fc.record({ kind: only('stop') }),
  restart: fc.record({ kind: only('restart') }),
  publish: fc.record({
    kind: only('publish'),
    hub,
    to: fc.oneof(
      { weight: 4, arbitrary: fc.shuffledSubarray<string>([...groupNames], { minLength: 1 }) },
      { weight: 1, arbitrary: fc.constantFrom('hub' as const, 'user' as const, 'connection' as const) },
    ),
    except: rarely,
  }),
  join: fc.record({ kind: only('join'), hub, group }),
  leave: fc.record({ kind: only('leave'), hub, group }),
  revoke: fc.record({ kind: only('revoke'), hub, group }),
  wait: fc.record({
    kind: only('wait'),
    halves: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 5, max: 25 })),
  }),
  close: fc.record({ kind: only('close'), stage: fc.constantFrom(...stageNames) }),
  open: fc.record({ kind: only('open'), stage: fc.constantFrom(...stageNames) }),
  settle: fc.record({
    kind: only('settle'),
    index: fc.nat(3),
    fails: rarely,
  }),
  answer: fc.record({
    kind: only('answer'),
    drops: someOf<string>(...groupNames),
    adds: someOf<string>(...groupNames),
  }),
  forbid: fc.record({ kind: only('forbid'), hub }),
  allow: fc.record({ kind: only('allow'), hub }),
  flow: fc.record({ kind: only('flow') }),
  stall: fc.record({ kind: only('stall') }),
  bus: fc.record({ kind: only('bus'), work: fc.nat(3), answers: fc.nat(3) }),
} satisfies { readonly [Kind in LifeStep['kind']]: fc.Arbitrary<LifeStep> };

type Weights<Kind extends string> = { readonly [One in Kind]?: number };

/** Steps that belong together, or random ones would hardly ever meet. */
type Episode = 'outage' | 'slow stage' | 'late stage' | 'other hubs' | 'stalled bus';

const change = fc.oneof(
  { weight: 4, arbitrary: arbitraries.publish },
  { weight: 2, arbitrary: arbitraries.join },
  { weight: 2, arbitrary: arbitraries.leave },
  { weight: 1, arbitrary: arbitraries.revoke },
);
const changes = fc.array(change, { maxLength: 4, size: 'max' });
const meanwhile = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: change },
    { weight: 2, arbitrary: arbitraries.drop },
    { weight: 2, arbitrary: arbitraries.notice },
    { weight: 2, arbitrary: arbitraries.resume },
    { weight: 1, arbitrary: arbitraries.wait },
    { weight: 1, arbitrary: arbitraries.answer },
  ),
  { maxLength: 5, size: 'max' },
);
const resumeStage = fc.constantFrom('authorizeConnect' as const, 'rejoiningGroups' as const, 'reconnect' as const);
const ending = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.constantFrom({ kind: 'abort' as const }, { kind: 'kick' as const }).map((one) => [one]) },
);

const episodes: { readonly [Kind in Episode]: fc.Arbitrary<readonly LifeStep[]> } = {
  outage: fc
    .tuple(arbitraries.drop, fc.boolean(), changes, arbitraries.wait, arbitraries.resume)
    .map(([drop, isNoticed, missed, wait, resume]) => [
      drop,
      ...(isNoticed ? [{ kind: 'notice' as const }] : []),
      ...missed,
      ...(wait.halves < 5 ? [wait] : []),
      resume,
    ]),
  'slow stage': fc
    .tuple(resumeStage, changes, arbitraries.resume, meanwhile, fc.array(arbitraries.settle, { maxLength: 3 }))
    .map(([stage, missed, resume, others, settles]) => [
      ...missed,
      { kind: 'close', stage },
      resume,
      ...others,
      ...settles,
      { kind: 'open', stage },
    ]),
  // What is not settled in time goes on all the same, beside what comes after it.
  'late stage': fc
    .tuple(resumeStage, arbitraries.resume, meanwhile, arbitraries.resume, ending, arbitraries.settle)
    .map(([stage, first, others, second, end, settle]) => [
      { kind: 'close', stage },
      first,
      { kind: 'wait', halves: 7 },
      { kind: 'open', stage },
      ...others,
      second,
      ...end,
      settle,
    ]),
  'other hubs': fc
    .tuple(resumeStage, arbitraries.resume, arbitraries.resume, ending, fc.array(arbitraries.settle, { maxLength: 2 }))
    .map(([stage, first, second, end, settles]) => [
      { kind: 'close', stage },
      first,
      { ...second, hubs: [hubNames[0]] },
      ...end,
      ...settles,
      { kind: 'open', stage },
    ]),
  'stalled bus': fc
    .tuple(
      fc.array(fc.oneof(arbitraries.resume, change), { maxLength: 2 }),
      fc.array(fc.oneof(change, arbitraries.bus, arbitraries.bus), { minLength: 3, maxLength: 10, size: 'max' }),
    )
    .map(([first, others]) => [{ kind: 'stall' }, ...first, ...others, { kind: 'flow' }]),
};

/** A life: a client that connects, and then steps and episodes of the kinds that have a weight, as often as it says. */
export function lifeSteps(
  weights: Weights<LifeStep['kind'] | Episode>,
  maxLength: number,
): fc.Arbitrary<readonly LifeStep[]> {
  const one = fc.oneof(
    ...Object.entries(weights).map(([kind, weight]) => ({
      weight: Math.round(weight * 10),
      arbitrary: episodeOf(kind as LifeStep['kind'] | Episode),
    })),
  );
  return fc
    .tuple(arbitraries.connect, sequenceOf(one, maxLength))
    .map(([first, others]) => [first, { kind: 'read', frames: 1 }, ...others.flat()]);
}

function episodeOf(kind: LifeStep['kind'] | Episode): fc.Arbitrary<readonly LifeStep[]> {
  if (kind in episodes) return episodes[kind as Episode];
  return (arbitraries[kind as LifeStep['kind']] as fc.Arbitrary<LifeStep>).map((step) => [step]);
}
