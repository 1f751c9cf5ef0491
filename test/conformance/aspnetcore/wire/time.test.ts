import { expect } from 'chai';
import { eventually } from '../../../support/eventually.js';
import { WireClient } from '../../../support/wire-client.js';
import { brokenClose, connect, disconnects, path, serve } from './wire-site.js';

const ping = { type: 6 };

describe('the ASP.NET Core wire: time', () => {
  it('a ping goes out every 15 s, whether or not there is other traffic', async () => {
    const { site, client } = await connect();
    for (let round = 1; round <= 4; round++) {
      for (let part = 0; part < 5; part++) {
        await site.clock.advance(3_000);
        // Half of the time there is traffic, half of it there is none but the client's life signs.
        if (round > 2) await client.invoke('add', [1, 2], `${round}.${part}`);
        else await client.roundTrip();
      }
      expect(client.messages.items.filter((message) => message === '{"type":6}')).to.have.length(round);
    }
  });

  it('a ping of the client is not answered', async () => {
    const { client } = await connect();
    client.send(ping, ping);
    await client.invoke('add', [1, 2]);
    expect(client.messages.items).not.to.include('{"type":6}');
  });

  it('a client that never pings may say nothing for as long as its socket lives', async () => {
    const { site, client } = await connect();
    for (let round = 0; round < 12; round++) {
      await site.clock.advance(10_000);
      await client.roundTrip();
    }
    expect(await client.invoke('add', [1, 2])).to.contain('"result":3');
  });

  it('a client that has pinged once must say something every 30 s, even though its socket lives', async () => {
    const { site, client } = await connect();
    client.send(ping);
    await client.roundTrip();
    for (let round = 0; round < 2; round++) {
      await site.clock.advance(14_000);
      await client.roundTrip();
    }
    expect(client.messages.items.at(-1)).not.to.equal(brokenClose);
    await site.clock.advance(4_000);
    expect(await client.closed()).to.deep.equal({ code: 1000, reason: '' });
    expect(client.messages.items.at(-1)).to.equal(brokenClose);
    expect(await disconnects(site)).to.deep.equal(['timeout']);
  });

  it('every message of the client counts', async () => {
    const { site, client } = await connect();
    client.send(ping);
    for (let round = 0; round < 3; round++) {
      await site.clock.advance(25_000);
      client.send(round % 2 === 0 ? { type: 99 } : ping);
      await client.roundTrip();
    }
    expect(await client.invoke('add', [1, 2])).to.contain('"result":3');
  });

  it('detailedErrors tells of the timeout', async () => {
    const { site, client } = await connect({ detailedErrors: true });
    client.send(ping);
    for (let round = 0; round < 4; round++) {
      await client.roundTrip();
      await site.clock.advance(8_000);
    }
    await client.closed();
    const error =
      'Connection closed with an error. OperationCanceledException: ' +
      "Client hasn't sent a message/ping within the configured ClientTimeoutInterval.";
    expect(client.messages.items.at(-1)).to.equal(JSON.stringify({ type: 7, error, allowReconnect: true }));
  });

  it('a WebSocket that is silent for half of the timeout is pinged, and one that does not answer is lost', async () => {
    const { site, client } = await connect({}, { autoPong: false });
    await site.clock.advance(14_000);
    await client.roundTrip();
    await site.clock.advance(14_000);
    expect(client.pings.count).to.equal(0);
    await site.clock.advance(2_000);
    await client.pings.atLeast(1);
    await site.clock.advance(13_000);
    expect(site.journal.of('disconnect')).to.deep.equal([]);
    await site.clock.advance(3_000);
    expect(await client.closed()).to.have.property('code', 1006);
    expect(client.messages.items.join()).not.to.contain('"type":7');
    expect(await disconnects(site)).to.deep.equal(['timeout']);
  });

  it('a WebSocket that answers the ping and says nothing else lives on', async () => {
    const { site, client } = await connect({}, { autoPong: false });
    for (let round = 1; round <= 4; round++) {
      await site.clock.advance(17_000);
      await client.pings.atLeast(round);
      const before = site.bytesRead();
      client.socket.pong();
      await eventually(() => site.bytesRead() > before, 'the server has read the pong');
    }
    expect(await client.invoke('add', [1, 2])).to.contain('"result":3');
  });

  it('a WebSocket that never says a word is let go', async () => {
    const site = await serve({ handshakeTimeoutMs: 600_000 });
    const client = await WireClient.open(site.port, path, { autoPong: false });
    await site.clock.advance(17_000);
    await client.pings.atLeast(1);
    await site.clock.advance(17_000);
    expect(await client.closed()).to.have.property('code', 1006);
  });
});
