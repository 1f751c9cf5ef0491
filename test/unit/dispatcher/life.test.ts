import { LifeBench } from '../../support/life-bench.js';
import type { LifeStep, StageName } from '../../support/life-steps.js';

const hubs = ['chat', 'game'];
const connect: LifeStep = { kind: 'connect', transport: 'live', hubs };
const connectByPolls: LifeStep = { kind: 'connect', transport: 'batch', hubs };
const resume: LifeStep = { kind: 'resume', hubs, cursor: 'own', isGone: false };
const resumeOneHub: LifeStep = { ...resume, hubs: ['chat'] };
const resumeWithoutCursor: LifeStep = { ...resume, cursor: 'none' };
const resumeAndLeave: LifeStep = { ...resume, isGone: true };
const read: LifeStep = { kind: 'read', frames: 9 };
const drop: LifeStep = { kind: 'drop', frames: 0 };
const [start, notice, abort, stop, restart, stall, flow] = (
  ['start', 'notice', 'abort', 'stop', 'restart', 'stall', 'flow'] as const
).map((kind): LifeStep => ({ kind })) as [LifeStep, LifeStep, LifeStep, LifeStep, LifeStep, LifeStep, LifeStep];
const join = (group: string): LifeStep => ({ kind: 'join', hub: 'chat', group });
const leave = (group: string): LifeStep => ({ kind: 'leave', hub: 'chat', group });
const publish = (...to: string[]): LifeStep => ({ kind: 'publish', hub: 'chat', to, except: false });
const wait = (halves: number): LifeStep => ({ kind: 'wait', halves });
const close = (stage: StageName): LifeStep => ({ kind: 'close', stage });
const open = (stage: StageName): LifeStep => ({ kind: 'open', stage });
const settle = (index: number, fails = false): LifeStep => ({ kind: 'settle', index, fails });
const forbid = (hub: string): LifeStep => ({ kind: 'forbid', hub });
const allow = (hub: string): LifeStep => ({ kind: 'allow', hub });
const bus = (work: number, answers: number): LifeStep => ({ kind: 'bus', work, answers });
/** More than the log keeps. */
const flood = Array.from({ length: 20 }, () => publish('a'));

const connected = [connect, read, start, join('a'), read];

/**
 * Lives that once went wrong, or that random ones seldom meet. The bench fails for whatever an oracle finds: events
 * that begin beside or after the last one, messages that are missing, late or too many, time that is given or taken.
 */
const lives: readonly (readonly [title: string, steps: readonly LifeStep[], overSlowBus?: 'slow bus'])[] = [
  [
    'a request whose socket has gone before it is looked at stops the timer while its stages run',
    [...connected, drop, notice, wait(8), close('reconnect'), resumeAndLeave, wait(5), settle(0), settle(0), wait(9)],
  ],
  [
    'such a request does not give the time back that a connection between two polls has used',
    [connectByPolls, read, start, wait(18), resumeAndLeave, wait(6)],
  ],
  [
    'a reconnect that outlasts its deadline is not overtaken by disconnect, also when another one has succeeded',
    [...connected, close('reconnect'), resume, wait(7), open('reconnect'), resume, abort, settle(0), settle(0)],
  ],
  [
    'a late reconnect of a new life is told of its end',
    [...connected, restart, close('reconnect'), resume, wait(7), settle(0), settle(0)],
  ],
  [
    'a connection that ends while its log is read begins no reconnect any more',
    [...connected, stall, resume, abort, flow],
    'slow bus',
  ],
  [
    'a request that waits for a resume with other hubs begins no new life when the client has stopped',
    [...connected, close('reconnect'), resume, resumeOneHub, abort, open('reconnect'), settle(0), settle(0)],
  ],
  [
    'a request that waits for a resume with other hubs begins no new life in a server that stops',
    [...connected, close('reconnect'), resume, resumeOneHub, stop, open('reconnect'), settle(0), settle(0)],
  ],
  [
    'a hub that one request was refused is not entered by another that was asked before',
    [
      connect,
      read,
      close('authorizeConnect'),
      forbid('chat'),
      resume,
      start,
      settle(0),
      resume,
      allow('chat'),
      open('authorizeConnect'),
    ],
  ],
  [
    'a hub that is refused in a new life is not given the groups of its token',
    [...connected, restart, forbid('chat'), resume, read],
  ],
  [
    'an opening connection whose resume could not be authorized is let go in time',
    [connect, read, close('authorizeConnect'), resume, settle(0, true), settle(0), wait(25)],
  ],
  [
    'an opening connection that comes back without its last groups token is told its groups again',
    [connect, read, join('a'), drop, resume, read],
  ],
  [
    'what an opening connection has lost is told by the resume that follows when it is confirmed',
    [connect, read, join('a'), read, drop, ...flood, resume, resume, read],
  ],
  [
    'a leave before the stages of a resume begin does not hinder their answer',
    [
      ...connected,
      close('authorizeConnect'),
      resume,
      leave('a'),
      { kind: 'answer', drops: [], adds: ['a'] } as const,
      open('authorizeConnect'),
      settle(0),
      settle(0),
      read,
      publish('a'),
      read,
    ],
  ],
  [
    'a group that is left while the answer of its stage may still fail stays left',
    [
      ...connected,
      { kind: 'answer', drops: ['a'], adds: [] } as const,
      close('reconnect'),
      resume,
      leave('a'),
      settle(0, true),
      settle(0, true),
      open('reconnect'),
      resume,
      read,
    ],
  ],
  [
    'what was missed is not replayed to a group that is left before the transport is there',
    [...connected, drop, publish('a'), close('reconnect'), resume, leave('a'), settle(0), settle(0), read],
  ],
  [
    'a new life that several requests share is given to all of them',
    [...connected, restart, close('reconnect'), resume, resume, settle(0), settle(0), read],
  ],
  [
    'a request without a cursor goes on from where the hubs were told',
    [
      ...connected,
      drop,
      ...flood,
      notice,
      close('reconnect'),
      resume,
      publish('a'),
      resumeWithoutCursor,
      publish('a'),
      settle(0),
      settle(0),
      read,
    ],
  ],
  [
    'what is lost after the hubs were told is told by another resume',
    [...connected, restart, close('reconnect'), resume, publish('a'), ...flood, resume, settle(0), settle(0), read],
  ],
  [
    'a message of a group whose topic is still being held when the log is read is not passed over',
    [...connected, stall, resume, bus(1, 1), join('b'), publish('b'), bus(3, 1), flow, read],
    'slow bus',
  ],
  [
    'a message of a group that is left while the log is read is not written',
    [...connected, stall, resume, publish('a'), bus(2, 1), leave('a'), bus(1, 2), flow, read],
    'slow bus',
  ],
  [
    'a message of a group whose topic is still being held when a resume reads is not passed over',
    [...connected, drop, stall, join('b'), publish('b'), resume, flow, read],
    'slow bus',
  ],
  [
    'a message of a group that has been left is not written, although the bus still hands it out',
    [...connected, stall, publish('a'), leave('a'), bus(1, 0), flow, read],
    'slow bus',
  ],
];

describe('the lives of a connection', () => {
  for (const [title, steps, slow] of lives)
    it(title, async () => {
      await new LifeBench(slow !== undefined).run(steps);
    });
});
