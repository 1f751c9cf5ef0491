import { existsSync } from 'node:fs';

const chromiumPath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

const found = {
  chromium: () => existsSync(chromiumPath),
};

/** What a test may need beyond Node and npm packages. */
export type Requirement = keyof typeof found;

/**
 * A hook for `before` that skips the suite where something is missing and says so in the titles of its tests; with
 * `HUBLINE_REQUIRE=all` it fails instead.
 */
export function requires(name: Requirement): (this: Mocha.Context) => void {
  return function () {
    if (found[name]()) return;
    if (process.env.HUBLINE_REQUIRE === 'all')
      throw new Error(`${name} is required (HUBLINE_REQUIRE=all) and missing.`);
    this.test?.parent?.eachTest((test) => {
      test.title += ` (skipped: ${name} is missing)`;
    });
    this.skip();
  };
}

/** Where the browser is; `requires('chromium')` checks that it is there. */
export { chromiumPath };
