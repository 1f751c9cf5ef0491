import type { Socket } from 'node:net';
import { expect } from 'chai';
import { eventually } from '../../../support/eventually.js';
import type { WireClient } from '../../../support/wire-client.js';
import { connect, disconnects } from './wire-site.js';

describe('the ASP.NET Core wire: the end of a connection', () => {
  it('a Close of the client is answered with one, and the WebSocket closed with 1000', async () => {
    const { site, client } = await connect();
    client.send({ type: 7 });
    expect(await client.closed()).to.deep.equal({ code: 1000, reason: '' });
    expect(client.messages.items.at(-1)).to.equal('{"type":7}');
    expect(await disconnects(site)).to.deep.equal(['client']);
  });

  it('a close frame of the client is one disconnect, with the reason client', async () => {
    const { site, client } = await connect();
    client.socket.close();
    expect(await client.closed()).to.have.property('code', 1005);
    await site.journal.nth('disconnect');
    expect(await disconnects(site)).to.deep.equal(['client']);
  });

  it('a socket without a close frame is one disconnect, with the reason timeout', async () => {
    const { site, client } = await connect();
    client.socket.terminate();
    await site.journal.nth('disconnect');
    expect(await disconnects(site)).to.deep.equal(['timeout']);
  });

  it('abort() closes without leave to reconnect', async () => {
    const { site, client } = await connect();
    client.send({ type: 1, target: 'leaveMe', arguments: [] });
    expect(await client.closed()).to.deep.equal({ code: 1000, reason: '' });
    expect(client.messages.items.at(-1)).to.equal('{"type":7}');
    expect(await disconnects(site)).to.deep.equal(['kicked']);
  });

  it('stop() closes with leave to reconnect', async () => {
    const { site, client } = await connect();
    await Promise.all([site.server.stop({ graceMs: 0 }), client.closed()]);
    expect(client.messages.items.at(-1)).to.equal('{"type":7,"allowReconnect":true}');
    expect(site.journal.of('disconnect').map(({ reason }) => reason)).to.deep.equal(['server-stop']);
  });

  it('nothing that comes behind a Close is run', async () => {
    const { site, client } = await connect();
    client.sendTogether({ type: 7 }, { type: 1, target: 'tell', arguments: ['all', [], 'too late'] });
    await client.closed();
    await disconnects(site);
    expect(client.messages.items.join()).not.to.contain('too late');
  });

  const frame = (opcode: number, payload: Buffer): Buffer =>
    Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
  const violations: readonly (readonly [what: string, code: number, violate: (client: WireClient) => void])[] = [
    ['a frame above the limit for frames', 1009, (client) => client.socket.send('x'.repeat(1024 * 1024 + 1))],
    ['a text frame that is no UTF-8', 1007, (client) => writeRaw(client, frame(1, Buffer.from([0xff, 0xfe])))],
    ['a frame that the protocol does not know', 1002, (client) => writeRaw(client, frame(3, Buffer.alloc(1)))],
  ];
  for (const [what, code, violate] of violations) {
    it(`${what} closes the WebSocket with ${code}, which is a disconnect with the reason error`, async () => {
      const { site, client } = await connect();
      violate(client);
      expect(await client.closed()).to.have.property('code', code);
      await site.journal.nth('disconnect');
      expect(await disconnects(site)).to.deep.equal(['error']);
    });
  }

  it('a client that does not answer the close of its WebSocket is cut', async () => {
    const { site, client } = await connect();
    client.socket.pause();
    client.socket.send('x'.repeat(1024 * 1024 + 1));
    await site.journal.nth('disconnect');
    expect(site.sockets.size).to.equal(1);
    await site.clock.advance(3_000);
    await eventually(() => site.sockets.size === 0, 'the server has let go of the socket');
  });
});

/** Writes bytes that no WebSocket library would. */
function writeRaw(client: WireClient, bytes: Buffer): void {
  const { _socket: socket } = client.socket as unknown as { readonly _socket: Socket };
  socket.write(bytes);
}
