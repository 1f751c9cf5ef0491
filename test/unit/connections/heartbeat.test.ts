import { Heartbeat } from '@hubline/core/internal/connections/heartbeat.js';
import { VirtualClock } from '@hubline/core/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { effort, propertyTimeoutMs } from '../../support/property.js';

function started(): { clock: VirtualClock; heartbeat: Heartbeat } {
  const clock = new VirtualClock();
  const heartbeat = new Heartbeat(clock);
  heartbeat.start();
  return { clock, heartbeat };
}

describe('Heartbeat', function () {
  this.timeout(propertyTimeoutMs);

  it('never runs a timer before its delay, nor more than a beat later', async () => {
    const delays = fc.array(fc.record({ waitMs: fc.nat(3_000), delayMs: fc.nat(5_000) }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(delays, async (timers) => {
        const { clock, heartbeat } = started();
        const late: number[] = [];
        for (const { waitMs, delayMs } of timers) {
          await clock.advance(waitMs);
          const due = clock.now() + delayMs;
          heartbeat.after(delayMs, () => late.push(clock.now() - due));
        }
        await clock.advance(7_000);
        expect(late).to.have.length(timers.length);
        for (const lateMs of late) expect(lateMs).to.be.within(0, 1_000);
        expect(heartbeat.timerCount).to.equal(0);
      }),
      effort(50),
    );
  });

  it('has the whole delay before it also when the wall clock is set back', () => {
    let now = 10_000_000;
    const beats: (() => void)[] = [];
    const heartbeat = new Heartbeat({
      now: () => now,
      after(_ms, callback) {
        beats.push(callback);
        return () => undefined;
      },
    });
    heartbeat.start();
    now -= 3_600_000;
    let ran = false;
    heartbeat.after(30_000, () => (ran = true));
    for (let beat = 0; beat < 29; beat++) {
      now += 1_000;
      beats.shift()?.();
    }
    expect(ran).to.equal(false);
    for (let beat = 0; beat < 2; beat++) {
      now += 1_000;
      beats.shift()?.();
    }
    expect(ran).to.equal(true);
  });

  it('loses and gains nothing of a delay that is stopped and goes on, however often', async () => {
    const pieces = fc.array(fc.nat(1_500), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(pieces, async (waits) => {
        const { clock, heartbeat } = started();
        let leftMs = 20_000;
        for (const waitMs of waits) {
          const timer = heartbeat.after(leftMs, () => expect.fail('it runs early'));
          await clock.advance(waitMs);
          leftMs = timer.leftMs;
          timer.cancel();
          // A pause in which nothing runs.
          await clock.advance(waitMs * 2);
        }
        expect(leftMs).to.equal(20_000 - waits.reduce((sum, waitMs) => sum + waitMs, 0));
      }),
      effort(50),
    );
  });

  it('judges nobody at a beat that comes late: deadlines move by at least the delay', async () => {
    const { clock, heartbeat } = started();
    let ran = false;
    heartbeat.after(5_000, () => (ran = true));
    await clock.advance(2_000);
    clock.stall(60_000);
    await clock.advance(0);
    expect(ran).to.equal(false);
    await clock.advance(2_900);
    expect(ran).to.equal(false);
    await clock.advance(2_100);
    expect(ran).to.equal(true);
  });

  it('has at most the delay left, also after a late beat', async () => {
    const { clock, heartbeat } = started();
    await clock.advance(900);
    const timer = heartbeat.after(5_000, () => undefined);
    clock.stall(10_000);
    await clock.advance(0);
    expect(timer.leftMs).to.be.within(4_000, 5_000);
  });

  it('says that nothing is left of a timer that has run or was cancelled', async () => {
    const { clock, heartbeat } = started();
    const ran = heartbeat.after(1_000, () => undefined);
    const cancelled = heartbeat.after(9_000, () => undefined);
    cancelled.cancel();
    await clock.advance(2_000);
    expect([ran.leftMs, cancelled.leftMs]).to.deep.equal([0, 0]);
  });

  it('runs a timer that another one has set for now at the next beat', async () => {
    const { clock, heartbeat } = started();
    const at: number[] = [];
    const start = clock.now();
    heartbeat.after(1_000, () => heartbeat.after(0, () => at.push(clock.now() - start)));
    await clock.advance(5_000);
    expect(at).to.deep.equal([2_000]);
  });

  it('does not run a timer that another one of the same beat has cancelled', async () => {
    const { clock, heartbeat } = started();
    let ran = false;
    const timers: { cancel(): void }[] = [];
    heartbeat.after(500, () => timers[0]?.cancel());
    timers.push(heartbeat.after(500, () => (ran = true)));
    await clock.advance(3_000);
    expect(ran).to.equal(false);
  });

  it('leaves no timer behind when it is stopped', () => {
    const { clock, heartbeat } = started();
    heartbeat.after(1_000, () => undefined);
    heartbeat.stop();
    expect([clock.timerCount, heartbeat.timerCount]).to.deep.equal([0, 0]);
  });
});
