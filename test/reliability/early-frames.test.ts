import { hub, Hub, hubMethod, type Next } from '@hubline/core';
import { settle } from '@hubline/core/testing';
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { expectNothingHeld, rawApp, type RawApp } from '../support/raw-client.js';
import { RawUpgrade } from '../support/raw-upgrade.js';
import { localhost } from '../support/servers.js';

let calls: unknown[] = [];

@hub('chat')
class ChatHub extends Hub {
  @hubMethod() note(value: unknown) {
    calls.push(value);
  }
}

/** A text frame of a client, masked with zeros. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const length =
    payload.length < 126
      ? Buffer.of(0x80 | payload.length)
      : Buffer.of(0x80 | 126, payload.length >> 8, payload.length);
  return Buffer.concat([Buffer.of(0x81), length, Buffer.alloc(4), payload]);
}

const note = (value: unknown) => frame(JSON.stringify({ H: 'chat', M: 'note', A: [value] }));

/** A server whose `authorizeConnect` waits when it opens something, and a client that asks for a WebSocket. */
async function asking(): Promise<{ app: RawApp; raw: RawUpgrade; release: () => void }> {
  let release: () => void = () => undefined;
  let isHeld = false;
  const held = new Promise<void>((resolve) => (release = resolve));
  const hold = (_: unknown, next: Next<boolean>) => (isHeld ? held.then(next) : next());
  const app = rawApp({ hubs: [ChatHub], modules: [{ name: 'hold', authorizeConnect: hold }] });
  const client = await app.classic(['chat']).negotiate();
  isHeld = true;
  const port = await app.server.listen(0, localhost);
  return { app, raw: await RawUpgrade.open(port, client.path('connect')), release };
}

describe('what a client sends before its WebSocket has been accepted', () => {
  beforeEach(() => {
    calls = [];
  });

  it('is read afterwards, in its order', async () => {
    const { app, raw, release } = await asking();
    await using _app = app;
    const early = raw.socket;
    for (let index = 0; index < 20; index++) early.write(note(index));
    early.write(note('half').subarray(0, 9));
    await settle();
    expect(raw.received).to.equal('');
    release();
    expect(await raw.status()).to.equal(101);
    early.write(note('half').subarray(9));
    await eventually(() => calls.length === 21, 'the calls');
    expect(calls).to.deep.equal([...Array(20).keys(), 'half']);
  });

  it('is no more than 64 KiB: above, the socket is cut, and nothing is left', async () => {
    const { app, raw, release } = await asking();
    await using _app = app;
    const part = note('x'.repeat(30_000));
    for (let index = 0; index < 3; index++) raw.socket.write(part);
    expect(await raw.closed()).to.equal('');
    release();
    await settle();
    await app.clock.advance(32_000);
    expect(calls).to.deep.equal([]);
    expectNothingHeld(app.server);
  });

  it('may be nothing that a server can read: it lives', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const port = await app.server.listen(0, localhost);
    for (const bytes of [
      '\u0000\u0001\u0002\r\n\r\n',
      'GET\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      '\u0016\u0003\u0001\u0000',
    ]) {
      const raw = await RawUpgrade.connect(port);
      raw.socket.end(bytes);
      await raw.closed();
    }
    await app.classic(['chat']).start();
    expect(app.server.connectionCount).to.equal(1);
  });
});
