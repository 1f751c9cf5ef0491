import fc from 'fast-check';
import { LifeBench } from '../../support/life-bench.js';
import { lifeSteps } from '../../support/life-steps.js';
import { effort, propertyTimeoutMs } from '../../support/property.js';

const steps = lifeSteps(
  {
    connect: 2,
    start: 3,
    poll: 4,
    abort: 0.2,
    kick: 0.2,
    resume: 2,
    read: 8,
    drop: 2,
    notice: 2,
    restart: 0.6,
    publish: 12,
    join: 7,
    leave: 3,
    revoke: 1,
    wait: 2,
    answer: 1,
    outage: 5,
    'slow stage': 3,
    'late stage': 1,
    'stalled bus': 5,
  },
  30,
);

describe('a connection and its messages, beside an oracle', function () {
  this.timeout(propertyTimeoutMs);

  for (const [title, isSlow] of [
    ['over a bus that answers at once', false],
    ['over a bus that answers later', true],
  ] as const)
    it(`${title}: all that is its own arrives once and in order, and nothing else`, async () => {
      await fc.assert(
        fc.asyncProperty(steps, (life) => new LifeBench(isSlow).run(life)),
        effort(),
      );
    });
});
