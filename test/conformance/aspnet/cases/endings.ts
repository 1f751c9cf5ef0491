import { VirtualClock } from '@hubline/core/testing';
import { expect } from 'chai';
import { Journal } from '../../../support/journal.js';
import { startServer } from '../../../support/servers.js';
import { TcpProxy } from '../../../support/tcp-proxy.js';
import { connected, type Driver } from './driver.js';
import { basics } from './hubs.js';

/** How connections end. */
export function endings(driver: Driver): void {
  it('a client that stops gives exactly one disconnect, with the reason `client`', async () => {
    const journal = new Journal();
    const clock = new VirtualClock();
    const { url, server } = await startServer({ ...basics, modules: [journal], clock });
    const client = await connected(driver, url);
    await client.stop();
    expect((await journal.nth('disconnect')).reason).to.equal('client');
    expect(server.connectionCount).to.equal(0);
    await clock.advance(120_000);
    expect(journal.of('disconnect')).to.have.length(1);
    expect(journal.of('reconnect')).to.have.length(0);
  });

  it('a client that vanishes gives exactly one disconnect, with the reason `timeout`, after the time that it has', async () => {
    const journal = new Journal();
    const clock = new VirtualClock();
    const { server, port } = await startServer({ ...basics, modules: [journal], clock });
    const proxy = await TcpProxy.start(port);
    const client = await connected(driver, proxy.url);
    proxy.goDown();
    await client.close();
    // The server may be told of the loss a moment later, and the time that it gives begins then.
    const vanishedAt = clock.now();
    await advanceUntil(clock, () => journal.of('disconnect').length > 0);
    expect(clock.now() - vanishedAt).to.be.within(30_000, 45_000);
    expect(journal.of('disconnect').map(({ reason }) => reason)).to.deep.equal(['timeout']);
    await clock.advance(120_000);
    expect(journal.of('disconnect')).to.have.length(1);
    expect(server.connectionCount).to.equal(0);
  });

  it('a client whose network swallows everything is found out, and ends with the reason `timeout`', async () => {
    const journal = new Journal();
    const clock = new VirtualClock();
    const { server, port } = await startServer({ ...basics, modules: [journal], clock });
    const proxy = await TcpProxy.start(port);
    await connected(driver, proxy.url);
    for (const connection of proxy.connections) connection.hold();
    await clock.advance(29_000);
    expect(journal.of('disconnect')).to.have.length(0);
    await clock.advance(60_000);
    expect((await journal.nth('disconnect')).reason).to.equal('timeout');
    expect(server.connectionCount).to.equal(0);
  });

  it('a client that the server sends away is told why, stops, and does not come back', async () => {
    const journal = new Journal();
    const { port } = await startServer({ ...basics, modules: [journal] });
    const proxy = await TcpProxy.start(port);
    const client = await connected(driver, proxy.url, { reconnectDelayMs: 1 });
    const outcome = await client.outcome('rooms', 'leaveForGood');
    expect(outcome.error?.message).to.contain('was disconnected');
    await client.event('disconnected');
    const requests = proxy.opened.count;
    expect((await journal.nth('disconnect')).reason).to.equal('kicked');
    const errors = client.events.filter(({ type }) => type === 'error');
    expect(errors).to.deep.equal([{ type: 'error', message: 'The server has ended this connection.' }]);
    // It would come after 1 ms; a second connection takes longer than that.
    await connected(driver, proxy.url);
    expect(client.events.filter(({ type }) => type === 'reconnecting')).to.have.length(0);
    expect(journal.of('reconnect')).to.have.length(0);
    expect(proxy.opened.count).to.be.greaterThan(requests);
  });

  it('a client that starts again after a stop is a new connection', async () => {
    const journal = new Journal();
    const { url } = await startServer({ ...basics, modules: [journal] });
    const client = await connected(driver, url);
    const first = client.id;
    await client.invoke('rooms', 'join', 'a');
    await client.stop();
    await client.start();
    expect(client.id).not.to.equal(first);
    await client.invoke('rooms', 'say', 'a', 'not a member any more');
    await client.invoke('rooms', 'noteThenAnswer', 1);
    expect(client.messages('message')).to.deep.equal([]);
    expect(journal.of('connect').map(({ id }) => id)).to.deep.equal([first, client.id]);
    expect(journal.of('rejoiningGroups')).to.deep.equal([]);
  });
}

/** Moves time in steps that leave real sockets a moment each, until something has happened. */
async function advanceUntil(clock: VirtualClock, condition: () => boolean): Promise<void> {
  for (let second = 0; second < 300 && !condition(); second++) await clock.advance(1_000);
  if (!condition()) throw new Error('Five minutes have passed, and it has not happened.');
}
