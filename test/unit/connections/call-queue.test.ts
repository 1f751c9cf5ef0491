import { CallQueue } from '@hubline/core/internal/connections/call-queue.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { effort, sequenceOf } from '../../support/property.js';

/** A queue whose calls run until they are told to end, and what it has done. */
class Calls {
  readonly begun: number[] = [];
  readonly pauses: boolean[] = [];
  readonly queue: CallQueue;
  private count = 0;

  constructor(parallel: number, limit: number) {
    this.queue = new CallQueue(parallel, limit, (paused) => this.pauses.push(paused));
  }

  push(endsAtOnce = false): void {
    const number = ++this.count;
    this.queue.push(() => {
      this.begun.push(number);
      if (endsAtOnce) this.queue.done();
    });
  }
}

describe('CallQueue', () => {
  it('runs nothing before it is opened, and then in order', () => {
    const calls = new Calls(Infinity, 10);
    calls.push();
    calls.push();
    expect(calls.begun).to.deep.equal([]);
    calls.queue.open();
    expect(calls.begun).to.deep.equal([1, 2]);
  });

  it('runs so many beside each other', () => {
    const calls = new Calls(2, 10);
    calls.queue.open();
    for (let count = 0; count < 4; count++) calls.push();
    expect(calls.begun).to.deep.equal([1, 2]);
    calls.queue.done();
    expect(calls.begun).to.deep.equal([1, 2, 3]);
  });

  it('pauses reading when as many run and wait as may, and goes on when there is room', () => {
    const calls = new Calls(1, 2);
    calls.queue.open();
    calls.push();
    expect(calls.pauses).to.deep.equal([]);
    calls.push();
    expect(calls.pauses).to.deep.equal([true]);
    calls.queue.done();
    expect(calls.pauses).to.deep.equal([true, false]);
  });

  it('runs any number of calls that end at once without going deeper', () => {
    const calls = new Calls(1, Infinity);
    for (let count = 0; count < 20_000; count++) calls.push(true);
    calls.queue.open();
    expect(calls.begun).to.have.length(20_000);
  });

  it('drops what has not begun when it is cleared, and runs nothing after that', () => {
    const calls = new Calls(1, 10);
    calls.queue.open();
    calls.push();
    calls.push();
    calls.queue.clear();
    calls.queue.done();
    calls.push();
    expect(calls.begun).to.deep.equal([1]);
  });

  it('never runs more than it may, keeps the order, and is paused exactly while it is full', () => {
    const step = fc.constantFrom('push' as const, 'done' as const, 'open' as const);
    const bounds = fc.record({ parallel: fc.integer({ min: 1, max: 3 }), limit: fc.integer({ min: 1, max: 5 }) });
    fc.assert(
      fc.property(bounds, sequenceOf(step, 40), ({ parallel, limit }, steps) => {
        const calls = new Calls(parallel, limit);
        const { queue, begun } = calls;
        let pushed = 0;
        let ended = 0;
        for (const one of steps) {
          if (one === 'open') queue.open();
          else if (one === 'push') {
            pushed++;
            calls.push();
          } else if (begun.length > ended) {
            ended++;
            queue.done();
          }
          expect(begun.length - ended).to.be.within(0, parallel);
          expect(queue.size).to.equal(pushed - ended);
          expect(queue.isPaused).to.equal(queue.size >= limit);
          expect(calls.pauses.at(-1) ?? false).to.equal(queue.isPaused);
        }
        queue.open();
        while (begun.length < pushed) queue.done();
        expect(begun).to.deep.equal(Array.from({ length: pushed }, (_, index) => index + 1));
      }),
      effort(),
    );
  });
});
