import { chromium, type Browser } from 'playwright-core';
import { chromiumPath, requires } from './requirements.js';

/** It must reach nothing but the servers of the tests. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
];

/** Inside a `describe`: its tests have a Chromium, which the answer gives them; without one they are skipped. */
export function useChromium(): () => Browser {
  let browser: Browser | undefined;
  before('find Chromium', requires('chromium'));
  before('start Chromium', async function () {
    this.timeout(60_000);
    browser = await chromium.launch({ executablePath: chromiumPath, args: flags });
  });
  after('close Chromium', () => browser?.close());
  return () => {
    if (browser === undefined) throw new Error('Chromium has not been started yet.');
    return browser;
  };
}
