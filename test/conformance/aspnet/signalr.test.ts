import { hub, Hub, hubMethod } from '@hubline/core';
import { expect } from 'chai';
import { useChromium } from '../../support/chromium.js';
import { ClassicClient, inChromium, inJsdom, type MakeHost } from '../../support/classic-client.js';
import { startServer } from '../../support/servers.js';

@hub('rooms')
class RoomsHub extends Hub {
  @hubMethod() add(a: number, b: number) {
    return a + b;
  }
}

describe('the official classic client', () => {
  describe('in jsdom', () => {
    conforms(() => inJsdom);
  });

  describe('in Chromium', () => {
    const browser = useChromium();
    conforms(() => inChromium(browser()));
  });
});

function conforms(host: () => MakeHost): void {
  it('connects, and gets the result of a call', async () => {
    const { url } = await startServer({ hubs: [RoomsHub] });
    const client = await ClassicClient.open(host(), url, { hubs: { rooms: ['message'] } });
    await client.start();
    expect(await client.invoke('rooms', 'add', 1, 2)).to.equal(3);
  });
}
