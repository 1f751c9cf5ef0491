import { defaultWaitMs } from './within.js';

/** Settles as soon as a condition holds that no event tells of; looks at each turn of the event loop. */
export async function eventually(condition: () => boolean, what: string, ms = defaultWaitMs): Promise<void> {
  const until = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > until) throw new Error(`${what}: not after ${ms} ms`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
