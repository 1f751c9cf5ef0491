import type { HubPipelineModule } from '@hubline/core';
import { expect } from 'chai';
import { setUp, refusal } from './set-up.js';

describe('quirks of the classic wire: abort', () => {
  it('the socket is closed at once with 1000, without an error for the client', async () => {
    const { wire, journal } = await setUp();
    const socket = await wire.begin();
    const answer = await wire.abort();
    expect(answer).to.include({ status: 200, body: '' });
    expect(answer.headers['content-type']).to.match(/^text\/plain/);
    expect(await socket.closedWithin()).to.deep.equal({ code: 1000, reason: '' });
    expect(socket.frames.count).to.equal(1);
    expect((await journal.nth('disconnect')).reason).to.equal('client');
  });

  it('an abort may name another transport than the one that is used', async () => {
    const { wire, journal } = await setUp();
    const socket = await wire.begin();
    expect((await wire.abort({ transport: 'serverSentEvents' })).status).to.equal(200);
    await socket.closedWithin();
    expect((await journal.nth('disconnect')).reason).to.equal('client');
  });

  it('an abort that comes when the socket is closed already ends the connection at once', async () => {
    const { wire, journal, server } = await setUp();
    const socket = await wire.begin();
    socket.socket.close();
    await socket.closedWithin();
    expect(journal.of('disconnect'), 'a close is no stop').to.deep.equal([]);
    expect(server.connectionCount).to.equal(1);
    expect((await wire.abort()).status).to.equal(200);
    expect((await journal.nth('disconnect')).reason).to.equal('client');
    expect(server.connectionCount).to.equal(0);
    await wire.abort();
    expect(journal.of('disconnect')).to.have.length(1);
  });

  it('an abort before the start ends the connection without any event', async () => {
    const { wire, journal, server } = await setUp();
    await wire.negotiate();
    const socket = await wire.connect();
    await wire.abort();
    await socket.closedWithin();
    expect(server.connectionCount).to.equal(0);
    expect(journal.entries.items).to.deep.equal([]);
  });

  it('an abort is answered without waiting for the disconnect of the hubs', async () => {
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    const slow: HubPipelineModule = {
      name: 'slow disconnect',
      async disconnect(_context, next) {
        await opened;
        await next();
      },
    };
    const { wire, journal } = await setUp({}, { modules: [slow] });
    await wire.begin();
    expect((await wire.abort()).status).to.equal(200);
    expect(journal.of('disconnect')).to.deep.equal([]);
    open();
    await journal.nth('disconnect');
  });

  it('after an abort a late reconnect is told to stop: by E from protocol 2.0 on, else by a 403', async () => {
    for (const [protocol, stopped] of [
      ['2.1', 'E'],
      ['2.0', 'E'],
      ['1.5', '403'],
    ] as const) {
      const { wire, journal } = await setUp({ protocol });
      await wire.begin();
      await wire.abort();
      await journal.nth('disconnect');
      for (const opening of [() => wire.reconnect(), () => wire.connect()]) {
        if (stopped === '403') expect(await refusal(opening()), protocol).to.equal(403);
        else {
          const late = await opening();
          expect(await late.frame(1), protocol).to.match(/^\{"E":".+"\}$/);
          expect(await late.closedWithin()).to.deep.equal({ code: 1000, reason: '' });
        }
      }
      expect(journal.of('reconnect')).to.deep.equal([]);
    }
  });

  it('a client that is sent away is told by E only from protocol 2.0 on', async () => {
    for (const protocol of ['1.5', '2.0']) {
      const { wire } = await setUp({ protocol });
      const socket = await wire.begin();
      socket.send({ H: 'rooms', M: 'leaveForGood' });
      expect(await socket.closedWithin()).to.deep.equal({ code: 1000, reason: '' });
      expect(socket.envelopes.filter(({ E }) => E !== undefined)).to.have.length(protocol === '2.0' ? 1 : 0);
    }
  });

  it('a server that stops closes the socket with 1000 and tells nobody to stay away', async () => {
    const { wire, journal, stop } = await setUp();
    const socket = await wire.begin();
    await stop();
    expect(await socket.closedWithin()).to.deep.equal({ code: 1000, reason: '' });
    expect(socket.frames.count).to.equal(1);
    expect((await journal.nth('disconnect')).reason).to.equal('server-stop');
  });
});
