import { useChromium } from '../../support/chromium.js';
import { inChromium, inJsdom } from '../../support/classic-client.js';
import { calls } from './cases/calls.js';
import type { Driver } from './cases/driver.js';
import { endings } from './cases/endings.js';
import { reconnects } from './cases/reconnects.js';
import { starts } from './cases/starts.js';
import { targets } from './cases/targets.js';

/** Everything that the official client can do over WebSockets. */
function conforms(driver: Driver): void {
  describe('starts', () => starts(driver));
  describe('calls', () => calls(driver));
  describe('targets and groups', () => targets(driver));
  describe('reconnects', () => reconnects(driver));
  describe('endings', () => endings(driver));
}

describe('signalr 2.4.3, unmodified', () => {
  describe('in jsdom', () => {
    conforms(() => inJsdom);
  });

  describe('in Chromium', function () {
    this.timeout(30_000);
    const browser = useChromium();
    conforms(() => inChromium(browser()));
  });
});
