import fc from 'fast-check';
import { LifeBench } from '../../support/life-bench.js';
import { lifeSteps } from '../../support/life-steps.js';
import { effort, propertyTimeoutMs } from '../../support/property.js';

const steps = lifeSteps(
  {
    connect: 2,
    start: 4,
    poll: 1,
    abort: 0.4,
    kick: 0.4,
    stop: 0.4,
    restart: 0.8,
    resume: 5,
    read: 4,
    drop: 2,
    notice: 3,
    publish: 2,
    join: 4,
    leave: 2,
    revoke: 2,
    wait: 4,
    close: 3,
    open: 3,
    settle: 6,
    answer: 2,
    forbid: 1,
    allow: 1,
    outage: 2,
    'slow stage': 5,
    'late stage': 3,
    'other hubs': 3,
    'stalled bus': 1,
  },
  30,
);

describe('the lives of a connection, beside an oracle', function () {
  this.timeout(propertyTimeoutMs);

  for (const [title, isSlow] of [
    ['over a bus that answers at once', false],
    ['over a bus that answers later', true],
  ] as const)
    it(`${title}: each has one first event and one disconnect, whatever comes while stages run`, async () => {
      await fc.assert(
        fc.asyncProperty(steps, (life) => new LifeBench(isSlow).run(life)),
        effort(),
      );
    });
});
