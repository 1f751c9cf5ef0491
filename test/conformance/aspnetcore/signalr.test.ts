import { useChromium } from '../../support/chromium.js';
import { inChromiumPages, inNode, type MakeCoreHost } from '../../support/core-client.js';
import { cases, Stage } from './cases.js';

describe('the official ASP.NET Core client', () => {
  describe('in Node', () => {
    conforms(inNode, false);
  });

  describe('in Chromium', function () {
    this.timeout(30_000);
    conforms(inChromiumPages(useChromium()), true);
  });
});

function conforms(makeHost: MakeCoreHost, isBrowser: boolean): void {
  for (const [topic, list] of Object.entries(cases)) {
    describe(topic, () => {
      for (const each of list) it(each.name, () => each.run(new Stage(makeHost, isBrowser)));
    });
  }
}
