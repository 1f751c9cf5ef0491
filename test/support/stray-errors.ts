// Loaded by mocha before all tests: a test in which something throws or rejects that nobody looks at has failed, also
// when it came after the test's own last word.
import { inspect } from 'node:util';

const strays: unknown[] = [];

const note = (error: unknown): void => {
  if (!strays.includes(error)) strays.push(error);
};

process.on('unhandledRejection', note);
process.on('uncaughtExceptionMonitor', note);

export const mochaHooks = {
  async afterEach(): Promise<void> {
    // What the test began may fail in the next turns only.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    const found = strays.splice(0);
    if (found.length > 0)
      throw new Error(`nobody looked at ${found.map((error) => inspect(error)).join('\n')}`, { cause: found[0] });
  },
};
