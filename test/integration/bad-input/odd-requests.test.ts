import { hub, Hub, HubServer } from '@hubline/core';
import { expect } from 'chai';
import { atTestEnd } from '../../support/cleanup.js';
import { expectNothingHeld, rawApp, Refused } from '../../support/raw-client.js';
import { RawUpgrade } from '../../support/raw-upgrade.js';
import { localhost, testKeys } from '../../support/servers.js';

@hub('chat')
class ChatHub extends Hub {}

const transports: readonly (readonly [transport: string | undefined, text: string])[] = [
  [undefined, 'The transport is missing or unknown.'],
  ['', 'The transport is missing or unknown.'],
  ['pigeons', 'The transport is missing or unknown.'],
  ['webSockets,webSockets', 'The transport is missing or unknown.'],
  ['foreverFrame', 'Forever frame is not supported.'],
];

describe('a classic request', () => {
  for (const suffix of ['negotiate', 'start', 'abort', 'ping', 'send', 'poll', 'connect']) {
    it(`with a callback is a 400 that says so, on ${suffix}`, async () => {
      await using app = rawApp({ hubs: [ChatHub] });
      const client = await app.classic(['chat']).negotiate();
      expect(await client.get(suffix, { callback: 'alert' })).to.deep.equal({
        status: 400,
        body: 'JSONP is not supported.',
      });
      // One that is empty asks for nothing.
      if (suffix === 'negotiate' || suffix === 'ping')
        expect(await client.get(suffix, { callback: '' })).to.have.property('status', 200);
    });
  }

  it('with a callback is a 400 as an upgrade, too', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const client = await app.classic(['chat']).negotiate();
    const refused = await client.connect({ callback: 'alert' }).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Refused).with.property('status', 400);
    expectNothingHeld(app.server);
  });

  for (const [transport, text] of transports) {
    it(`with the transport ${transport ?? 'left out'} is a 400`, async () => {
      await using app = rawApp({ hubs: [ChatHub] });
      const client = await app.classic(['chat']).negotiate();
      for (const suffix of ['start', 'send', 'poll', 'connect', 'reconnect'])
        expect(await client.get(suffix, { transport }), suffix).to.deep.equal({ status: 400, body: text });
      const refused = await client.connect({ transport }).catch((error: unknown) => error);
      expect(refused).to.be.instanceOf(Refused).with.property('status', 400);
      expectNothingHeld(app.server);
    });
  }

  it('that aborts may name any transport', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    for (const transport of ['webSockets', 'serverSentEvents', 'longPolling']) {
      const client = app.classic(['chat']);
      await client.start();
      expect(await client.get('abort', { transport })).to.have.property('status', 200);
      expectNothingHeld(app.server);
    }
  });

  it('for a WebSocket without an upgrade is a 400', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const client = await app.classic(['chat']).negotiate();
    for (const suffix of ['connect', 'reconnect', 'poll', 'send', ''])
      expect(await client.get(suffix), suffix).to.have.property('status', 400);
    expectNothingHeld(app.server);
  });

  it('that starts a connection which nobody has is a 503, and one that aborts it is a 200', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const client = await app.classic(['chat']).negotiate();
    expect(await client.get('start')).to.have.property('status', 503);
    expect(await client.get('abort')).to.have.property('status', 200);
    expectNothingHeld(app.server);
  });

  const junk: readonly (readonly [what: string, query: string])[] = [
    ['percent signs that mean nothing', '%zz=%&%=%e4%b8'],
    ['names that every object has', '__proto__=1&constructor=2&hasOwnProperty=3'],
    ['nothing but separators', '&&&=&=&'],
    ['a NUL and a line break', 'a=%00%0d%0aSet-Cookie:x'],
    ['a second question mark', '?a=b?c=d'],
    ['twelve thousand members', Array.from({ length: 2_500 }, (_, index) => index).join('&')],
    ['one long value', `a=${'x'.repeat(12_000)}`],
  ];
  for (const [what, query] of junk) {
    it(`may have ${what} in its query`, async () => {
      await using app = rawApp({ hubs: [ChatHub] });
      const { status, body } = await app.request('GET', `/signalr/negotiate?clientProtocol=1.5&${query}`);
      expect(status).to.equal(200);
      expect(JSON.parse(body)).to.include({ ProtocolVersion: '1.5', Url: '/signalr' });
    });
  }

  it('with tens of thousands of slashes costs no more than one with as many letters', async () => {
    const port = await listening();
    const costMs = async (path: string): Promise<number> => {
      const costs: number[] = [];
      for (let turn = 0; turn < 3; turn++) {
        const before = process.cpuUsage();
        const raw = await RawUpgrade.open(port, path, { Connection: 'close', Upgrade: undefined });
        expect(await raw.status()).to.equal(200);
        costs.push(process.cpuUsage(before).user / 1_000);
      }
      return Math.min(...costs);
    };
    const letters = await costMs(`/signalr/${'x'.repeat(30_000)}/negotiate`);
    const slashes = await costMs(`/signalr${'/'.repeat(30_000)}x/negotiate`);
    expect(slashes).to.be.lessThan(letters + 100);
  });
});

describe('an upgrade that is no WebSocket handshake', () => {
  const handshakes: readonly (readonly [what: string, headers: Record<string, string | undefined>])[] = [
    ['without a key', { 'Sec-WebSocket-Key': undefined }],
    ['with a key that is too short', { 'Sec-WebSocket-Key': 'AAAA' }],
    ['without a version', { 'Sec-WebSocket-Version': undefined }],
    ['with a version that nobody speaks', { 'Sec-WebSocket-Version': '99' }],
    ['with a subprotocol that cannot be read', { 'Sec-WebSocket-Protocol': ',,' }],
  ];
  for (const [what, headers] of handshakes) {
    it(`${what} is refused, and leaves no connection with a transport behind`, async () => {
      await using app = rawApp({ hubs: [ChatHub] });
      const port = await listening(app.server);
      const client = await app.classic(['chat']).negotiate();
      const raw = await RawUpgrade.open(port, client.path('connect'), headers);
      expect(await raw.status()).to.be.oneOf([400, 426]);
      await raw.closed();
      await app.clock.advance(32_000);
      expectNothingHeld(app.server);
    });

    it(`${what} on a reconnect leaves the connection with the time that it had`, async () => {
      await using app = rawApp({ hubs: [ChatHub] });
      const port = await listening(app.server);
      const client = app.classic(['chat']);
      await (await client.start()).drop();
      const raw = await RawUpgrade.open(port, client.path('reconnect', { messageId: client.cursor }), headers);
      expect(await raw.status()).to.be.oneOf([400, 426]);
      await raw.closed();
      await app.clock.advance(32_000);
      expectNothingHeld(app.server);
    });
  }

  it('with another method than GET is refused', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const port = await listening(app.server);
    const client = await app.classic(['chat']).negotiate();
    const raw = await RawUpgrade.open(port, client.path('connect'), {}, 'POST');
    expect(await raw.status()).to.equal(405);
    await app.clock.advance(32_000);
    expectNothingHeld(app.server);
  });
});

/** The port of a server that listens: a new one if none is given. */
async function listening(server?: HubServer): Promise<number> {
  const used = server ?? new HubServer({ hubs: [ChatHub], keys: testKeys });
  if (server === undefined) atTestEnd(() => used.stop({ graceMs: 0 }));
  return used.listen(0, localhost);
}
