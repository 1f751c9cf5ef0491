import { within } from './within.js';

const pending: (() => unknown)[] = [];

/** Calls `clean` when the test that runs now is over, whatever became of it; what was made last is cleaned first. */
export function atTestEnd(clean: () => unknown): void {
  pending.push(clean);
}

// Registered once, on the root suite, by whichever test file imports this first.
afterEach('clean up', async () => {
  const failures: unknown[] = [];
  for (let clean = pending.pop(); clean !== undefined; clean = pending.pop()) {
    try {
      await within(Promise.resolve(clean()), 5_000, 'cleaning up');
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
});
