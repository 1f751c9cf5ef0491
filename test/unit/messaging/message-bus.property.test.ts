import { VirtualClock } from '@hubline/core/testing';
import { LocalMessageBus } from '@hubline/core/internal/messaging/message-bus.js';
import type { LogReading } from '@hubline/core/internal/messaging/message-bus.js';
import type { Subscriber } from '@hubline/core/internal/messaging/topic.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { NaiveLog } from '../../support/naive-log.js';
import { effort, propertyTimeoutMs, sequenceOf, someOf } from '../../support/property.js';

interface Body {
  readonly sizeBytes: number;
}

type Change =
  | { readonly kind: 'subscribe' | 'unsubscribe'; readonly topic: string; readonly subscriber: string }
  | {
      readonly kind: 'publish';
      readonly topics: readonly string[];
      readonly sizeBytes: number;
      readonly except: readonly string[];
    };

type Step =
  | Change
  /** What a subscriber does when it is next given something. */
  | { readonly kind: 'while delivering'; readonly subscriber: string; readonly changes: readonly Change[] }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'read'; readonly subscriber: string; readonly after: readonly (readonly [string, number])[] };

const topicNames = ['a', 'b', 'c', 'd'];
const subscriberNames = ['x', 'y', 'z'];
const topic = fc.constantFrom(...topicNames);
const subscriber = fc.constantFrom(...subscriberNames);
const maxAgeMs = 10_000;
const maxBytes = 100;

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), topic, subscriber }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('unsubscribe' as const), topic, subscriber }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('publish' as const),
      // A topic that is named twice counts once.
      topics: fc.array(topic, { maxLength: 4 }),
      sizeBytes: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constant(maxBytes + 1)),
      except: someOf(...subscriberNames),
    }),
  },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: change },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('while delivering' as const),
      subscriber,
      changes: fc.array(change, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 9_000 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      subscriber,
      after: fc.uniqueArray(fc.tuple(topic, fc.nat(30)), { selector: ([name]) => name }),
    }),
  },
);

/** A bus and a naive log that are told the same. */
class Pair {
  readonly clock = new VirtualClock();
  readonly bus = new LocalMessageBus<Body>(this.clock, { logAgeMs: maxAgeMs, logBytes: maxBytes }, 'here');
  readonly naive = new NaiveLog(maxAgeMs, maxBytes);
  /** Who was given which place, in the order in which it happened. */
  readonly given: (readonly [string, number])[] = [];
  readonly due: (readonly [string, number])[] = [];
  private readonly scripts = new Map<string, Change[]>();
  private delivering = false;
  private readonly waiting: Change[] = [];
  private readonly subscribers = new Map<string, Subscriber<Body>>();
  private readonly answers: Promise<unknown>[] = [];

  constructor() {
    for (const id of subscriberNames)
      this.subscribers.set(id, {
        id,
        deliver: ({ position }) => {
          this.given.push([id, position]);
          const script = this.scripts.get(id);
          this.scripts.delete(id);
          for (const one of script ?? []) this.tellBus(one);
        },
      });
  }

  tell(one: Change): void {
    // The scripts that a real delivery takes away are taken by the model from a copy of its own.
    const scripts = new Map(this.scripts);
    this.tellNaive(one, scripts);
    this.tellBus(one);
  }

  script(id: string, changes: readonly Change[]): void {
    this.scripts.set(id, [...changes]);
  }

  settled(): Promise<unknown> {
    return Promise.all(this.answers);
  }

  private tellBus(one: Change): void {
    const whom = 'subscriber' in one ? (this.subscribers.get(one.subscriber) as Subscriber<Body>) : undefined;
    const answer =
      one.kind === 'publish'
        ? this.bus.publish(one.topics, { sizeBytes: one.sizeBytes }, new Set(one.except))
        : this.bus[one.kind](one.topic, whom as Subscriber<Body>);
    if (answer instanceof Promise) this.answers.push(answer);
  }

  /** What comes while an entry is being handed out waits until it has been handed to all. */
  private tellNaive(one: Change, scripts: Map<string, Change[]>): void {
    this.waiting.push(one);
    if (this.delivering) return;
    this.delivering = true;
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      if (next.kind !== 'publish') {
        this.naive[next.kind](next.topic, next.subscriber);
        continue;
      }
      const entry = this.naive.publish(next.topics, next.sizeBytes, next.except, this.clock.now());
      if (entry === undefined) continue;
      for (const id of this.naive.receivers(entry)) {
        this.due.push([id, entry.position]);
        this.waiting.push(...(scripts.get(id) ?? []));
        scripts.delete(id);
      }
    }
    this.delivering = false;
  }
}

describe('LocalMessageBus, beside a naive log', function () {
  this.timeout(propertyTimeoutMs);

  it('keeps, hands out and gives back what the naive log does, in one order', async () => {
    await fc.assert(
      fc.asyncProperty(sequenceOf(step, 60), async (steps) => {
        const pair = new Pair();
        const { bus, naive, clock } = pair;
        for (const one of steps) {
          switch (one.kind) {
            case 'while delivering':
              pair.script(one.subscriber, one.changes);
              break;
            case 'wait':
              clock.stall(one.ms);
              bus.sweep();
              naive.evict(clock.now());
              break;
            case 'read': {
              const after = new Map(one.after);
              const reading = bus.read(one.subscriber, after) as LogReading<Body>;
              const expected = naive.read(one.subscriber, after);
              expect(reading.entries.map(({ position }) => position)).to.deep.equal(expected.positions);
              expect(reading.complete).to.equal(expected.complete);
              expect(reading.upTo).to.equal(naive.head);
              break;
            }
            default:
              pair.tell(one);
          }
          expect(bus.head).to.equal(naive.head);
          expect(bus.topicCount).to.equal(naive.topics.size);
          expect(bus.logBytes).to.equal(naive.bytes);
        }
        // An entry of several topics may be given more than once; each is given to all before the next one is.
        const places = pair.given.map(([, position]) => position);
        expect(places).to.deep.equal([...places].sort((one, other) => one - other));
        const unique = new Set(pair.given.map(([id, position]) => `${position} ${id}`));
        expect([...unique].sort()).to.deep.equal(pair.due.map(([id, position]) => `${position} ${id}`).sort());
        await pair.settled();

        for (const name of topicNames)
          for (const id of subscriberNames) pair.tell({ kind: 'unsubscribe', topic: name, subscriber: id });
        expect({ topics: bus.topicCount, bytes: bus.logBytes }).to.deep.equal({ topics: 0, bytes: 0 });
      }),
      effort(),
    );
  });
});
