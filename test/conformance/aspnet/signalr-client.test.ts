import { VirtualClock } from '@hubline/core/testing';
import { expect } from 'chai';
import library, { type CommunityClient } from 'signalr-client';
import { atTestEnd } from '../../support/cleanup.js';
import { Journal } from '../../support/journal.js';
import { Recorder } from '../../support/recorder.js';
import { startServer, type TestServerOptions } from '../../support/servers.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { defaultWaitMs, within } from '../../support/within.js';
import { basics, RoomsHub } from './cases/hubs.js';

/** A client, and what it tells; without a handler for 'connected' it never sends a start. */
function open(origin: string, { withStart = true } = {}) {
  const client = new library.client(`${origin}/signalr`, ['rooms'], 0.05, true);
  const told = new Recorder<string>('what the client tells');
  const notes = new Recorder<unknown>('the notes');
  const events = ['bound', 'connectionLost', 'reconnecting', 'reconnected', 'disconnected', 'connectFailed', 'onerror'];
  client.serviceHandlers = Object.fromEntries(
    [...events, ...(withStart ? ['connected'] : [])].map((name) => [name, () => told.add(name)]),
  );
  client.on('rooms', 'note', (value) => notes.add(value));
  client.start();
  atTestEnd(() => {
    // Once it has reconnected it does not know that it could end, and would try for ever.
    client.serviceHandlers = { reconnecting: () => true };
    client.end();
  });
  return { client, told, notes };
}

function call(client: CommunityClient, method: string, ...args: unknown[]): Promise<unknown> {
  const answer = new Promise((resolve, reject) => {
    client.call('rooms', method, ...args).done((error, result) => {
      if (error === undefined) resolve(result);
      else reject(new Error(error as string));
    });
  });
  return within(answer, defaultWaitMs, `the answer to ${method}`);
}

/** It comes when the client has sent its start, and that has been answered. */
const connected = (told: Recorder<string>): Promise<string> => told.find((name) => name === 'connected', 'the connect');

async function setUp(options: Partial<TestServerOptions> = {}) {
  const journal = new Journal();
  const running = await startServer({ ...basics, ...options, modules: [journal] });
  const proxy = await TcpProxy.start(running.port);
  return { ...running, journal, proxy };
}

describe('signalr-client 0.0.20, an independent client', () => {
  const { log } = console;
  before('keep the client from the console', () => {
    console.log = () => undefined;
  });
  after('give the console back', () => {
    console.log = log;
  });

  it('connects, calls and receives', async () => {
    const { proxy, server, journal } = await setUp();
    const { client, told, notes } = open(proxy.url);
    await connected(told);
    expect(journal.of('connect')).to.have.length(1);
    expect(await call(client, 'echo', { text: 'hello' })).to.deep.equal({ text: 'hello' });
    await server.hub(RoomsHub).clients.client(client.connection.id).note('from the server');
    expect(await notes.atLeast(1)).to.deep.equal(['from the server']);
  });

  it('is told of an error', async () => {
    const { proxy } = await setUp();
    const { client, told } = open(proxy.url);
    await connected(told);
    const error = await call(client, 'refuse').then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    expect(error?.message).to.equal('The room is full.');
  });

  it('takes keep-alives for what they are', async () => {
    const clock = new VirtualClock();
    const { proxy } = await setUp({ clock });
    const { client, told } = open(proxy.url);
    await connected(told);
    const connection = [...proxy.connections].at(-1);
    const before = connection?.toClient.bytes ?? 0;
    await clock.advance(11_000);
    expect(await call(client, 'echo', 1)).to.equal(1);
    expect(connection?.toClient.bytes).to.be.greaterThan(before);
    expect(told.items).not.to.include('onerror');
  });

  it('calls without ever sending a start, and is answered', async () => {
    const { proxy, journal } = await setUp();
    const { client, told } = open(proxy.url, { withStart: false });
    await told.find((name) => name === 'bound', 'the negotiation');
    expect(await call(client, 'echo', 'no start')).to.equal('no start');
    expect(journal.of('connect')).to.have.length(1);
  });

  it('comes back with a second connect after its socket was reset, and is in its groups', async () => {
    const { proxy, server, journal } = await setUp();
    const { client, told, notes } = open(proxy.url);
    const messages = new Recorder<readonly unknown[]>('the messages');
    client.on('rooms', 'message', (...args) => messages.add(args));
    await connected(told);
    await call(client, 'join', 'a');
    proxy.cut();
    await told.find((name) => name === 'reconnected', 'the reconnect');
    const { resume } = await journal.nth('reconnect');
    expect(resume).to.deep.include({ newLife: false, complete: false, groups: ['a'] });
    await server.hub(RoomsHub).clients.group('a').message('a', 'welcome back');
    expect(await messages.atLeast(1)).to.deep.equal([['a', 'welcome back']]);
    expect(await call(client, 'echo', 2)).to.equal(2);
    expect(journal.of('connect')).to.have.length(1);
    expect(notes.items).to.deep.equal([]);
  });

  it('aborts after it has closed its socket, naming another transport: one disconnect, with the reason `client`', async () => {
    const { proxy, server, journal } = await setUp();
    const { client, told } = open(proxy.url);
    await connected(told);
    client.end();
    expect((await journal.nth('disconnect')).reason).to.equal('client');
    await told.find((name) => name === 'disconnected', 'the end');
    expect(journal.of('disconnect')).to.have.length(1);
    expect(server.connectionCount).to.equal(0);
  });
});
