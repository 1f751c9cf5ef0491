import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { VirtualClock } from '@hubline/core/testing';
import type { LogEntry } from '@hubline/core/internal/messaging/log-entry.js';
import { LocalMessageBus, type LogReading } from '@hubline/core/internal/messaging/message-bus.js';
import type { Subscriber } from '@hubline/core/internal/messaging/topic.js';
import { expect } from 'chai';

interface Body {
  readonly sizeBytes: number;
  readonly text?: string;
}

const small: Body = { sizeBytes: 1 };
const make = (limits: { logAgeMs?: number; logBytes?: number } = {}): LocalMessageBus<Body> =>
  new LocalMessageBus<Body>(new VirtualClock(), { logAgeMs: 1_000, logBytes: 1_000_000, ...limits }, 'here');

function collecting(id: string): Subscriber<Body> & { readonly given: LogEntry<Body>[] } {
  const given: LogEntry<Body>[] = [];
  return { id, given, deliver: (entry) => given.push(entry) };
}

describe('LocalMessageBus', () => {
  it('hands out any number of messages that a subscriber publishes while it is given one', () => {
    const bus = make();
    const many = 20_000;
    const given: number[] = [];
    void bus.subscribe('a', {
      id: 'x',
      deliver: ({ position }) => {
        given.push(position);
        if (position === 1) for (let count = 0; count < many; count++) void bus.publish(['a'], small, undefined);
      },
    });
    void bus.publish(['a'], small, undefined);
    expect(given).to.deep.equal(Array.from({ length: many + 1 }, (_, index) => index + 1));
  });

  it('gives a message to everybody before it gives the one that was published meanwhile', () => {
    const bus = make();
    const order: string[] = [];
    for (const id of ['x', 'y'])
      void bus.subscribe('a', {
        id,
        deliver: ({ position }) => {
          order.push(`${id}${position}`);
          if (position === 1 && id === 'x') void bus.publish(['a'], small, undefined);
        },
      });
    void bus.publish(['a'], small, undefined);
    expect(order).to.deep.equal(['x1', 'y1', 'x2', 'y2']);
  });

  it('subscribes whoever comes while a message is handed out for what follows, and says from where', async () => {
    const bus = make();
    const late = collecting('late');
    let since: unknown;
    void bus.subscribe('a', { id: 'x', deliver: () => (since ??= bus.subscribe('a', late)) });
    void bus.publish(['a'], small, undefined);
    void bus.publish(['a'], small, undefined);
    expect(await since).to.equal(1);
    expect(late.given.map(({ position }) => position)).to.deep.equal([2]);
  });

  it('goes on after a subscriber that throws', () => {
    const bus = make();
    void bus.subscribe('a', {
      id: 'x',
      deliver: () => {
        throw new Error('broken');
      },
    });
    expect(() => bus.publish(['a'], small, undefined)).to.throw('broken');
    const other = collecting('y');
    expect(bus.subscribe('b', other)).to.equal(1);
    expect(bus.publish(['b'], small, undefined)).to.equal(undefined);
    expect(other.given).to.have.length(1);
  });

  it('keeps a message that nobody wants for nobody, and gives it no place', () => {
    const bus = make();
    void bus.publish(['a'], small, undefined);
    expect({ head: bus.head, bytes: bus.logBytes }).to.deep.equal({ head: 0, bytes: 0 });
  });

  it('tells a message larger than the whole log to who is there, and that it is gone to who is not', () => {
    const bus = make({ logBytes: 10 });
    const there = collecting('x');
    void bus.subscribe('a', there);
    void bus.publish(['a'], { sizeBytes: 11 }, undefined);
    const reading = bus.read('y', new Map([['a', 0]])) as LogReading<Body>;
    expect(there.given).to.have.length(1);
    expect(reading).to.deep.equal({ entries: [], complete: false, upTo: 1 });
    expect(bus.logBytes).to.equal(0);
  });

  it('lets go of a message that it has evicted, also in a topic where nothing follows', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const bus = make({ logBytes: 10 });
    void bus.subscribe('quiet', { id: 'x', deliver: () => undefined });
    void bus.subscribe('busy', { id: 'x', deliver: () => undefined });
    const evicted = (() => {
      const body: Body = { sizeBytes: 6, text: 'x'.repeat(1_000) };
      void bus.publish(['quiet'], body, undefined);
      return new WeakRef(body);
    })();
    void bus.publish(['busy'], { sizeBytes: 6 }, undefined);
    // A weak reference holds its target until the tick is over.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    expect(evicted.deref()).to.equal(undefined);
  });
});
