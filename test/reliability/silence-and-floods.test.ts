import { hub, Hub, hubMethod, type Next } from '@hubline/core';
import { settle } from '@hubline/core/testing';
import { expect } from 'chai';
import type { WebSocket } from 'ws';
import { eventRecorder, expectNothingHeld, rawApp, type RawApp } from '../support/raw-client.js';

/** Calls that have begun and wait until the test lets them go on. */
class Gate {
  begun = 0;
  private letGo: (() => void)[] = [];

  enter(): Promise<void> {
    this.begun++;
    return new Promise((resolve) => this.letGo.push(resolve));
  }

  async open(count = this.letGo.length): Promise<void> {
    for (const go of this.letGo.splice(0, count)) go();
    await settle();
  }
}

let gate = new Gate();

interface ChatClient {
  news(): void;
}

@hub('chat')
class ChatHub extends Hub<ChatClient> {
  @hubMethod() wait() {
    return gate.enter();
  }
  @hubMethod() echo(value: unknown) {
    return value;
  }
}

const wait = (id: number) => ({ H: 'chat', M: 'wait', A: [], I: id });

/** How many calls the server has taken of its only connection, and whether it reads from it. */
function callsOf(app: RawApp): { readonly taken: number; readonly paused: boolean } {
  const [record] = [...app.server['dispatcher'].ground.registry];
  return { taken: record?.calls.size ?? 0, paused: record?.calls.isPaused ?? false };
}

describe('a classic WebSocket that sends nothing', () => {
  it('is pinged after half of the disconnect timeout, and lost after the whole', async () => {
    const recorder = eventRecorder();
    await using app = rawApp({ hubs: [ChatHub], modules: [recorder] });
    const socket = await app.classic(['chat']).start();
    // Its answers must not come.
    socket.webSocket.pause();
    const [server] = [...serverSockets(app)];
    let pings = 0;
    const ping = server?.ping.bind(server);
    if (server !== undefined)
      server.ping = () => {
        pings++;
        ping?.();
      };
    await app.clock.advance(14_000);
    expect(pings).to.equal(0);
    await app.clock.advance(3_000);
    expect(pings).to.equal(1);
    await app.clock.advance(11_000);
    expect(serverSockets(app).size).to.equal(1);
    await app.clock.advance(5_000);
    expect(serverSockets(app).size).to.equal(0);
    expect(app.server.connectionCount).to.equal(1);
    expect(recorder.events).to.deep.equal(['connect']);
    await app.clock.advance(32_000);
    expect(recorder.events).to.deep.equal(['connect', 'disconnect timeout']);
    expectNothingHeld(app.server);
  });

  it('but answers pings is not lost', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const socket = await app.classic(['chat']).start();
    await app.clock.advance(300_000);
    expect(socket.pings).to.be.within(15, 20);
    socket.send({ H: 'chat', M: 'echo', A: ['here'], I: 0 });
    expect(await socket.answer('0')).to.include({ R: 'here' });
  });

  it('but calls in time is not even pinged', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const socket = await app.classic(['chat']).start();
    for (let call = 0; call < 20; call++) {
      await app.clock.advance(10_000);
      socket.send({ H: 'chat', M: 'echo', A: ['here'], I: call });
      await socket.answer(String(call));
    }
    expect(socket.pings).to.equal(0);
  });

  it('is sent keep-alives all the while', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const socket = await app.classic(['chat']).start();
    const before = socket.frames.count;
    await app.clock.advance(65_000);
    const keepAlives = socket.frames.items.slice(before);
    expect(keepAlives).to.have.length.within(5, 6);
    expect(new Set(keepAlives)).to.deep.equal(new Set(['{}']));
  });

  it('while the server itself stood still is not lost', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const socket = await app.classic(['chat']).start();
    socket.webSocket.pause();
    app.clock.stall(120_000);
    await app.clock.advance(5_000);
    expect(serverSockets(app).size).to.equal(1);
    socket.webSocket.resume();
    socket.send({ H: 'chat', M: 'echo', A: ['here'], I: 0 });
    expect(await socket.answer('0')).to.include({ R: 'here' });
  });

  it('and never confirms its connection is forgotten without events', async () => {
    const recorder = eventRecorder();
    await using app = rawApp({ hubs: [ChatHub], modules: [recorder] });
    const client = await app.classic(['chat']).negotiate();
    const socket = await client.connect();
    await socket.drop();
    await app.clock.advance(29_000);
    expect(app.server.connectionCount).to.equal(1);
    await app.clock.advance(3_000);
    expect(recorder.events).to.deep.equal([]);
    expectNothingHeld(app.server);
  });
});

describe('a classic WebSocket that floods', () => {
  beforeEach(() => {
    gate = new Gate();
  });

  it('is not read past the calls that may be in flight, and is read again when there is room', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const client = app.classic(['chat']);
    const socket = await client.start();
    const filling = 'x'.repeat(8_000);
    const calls = 2_000;
    for (let id = 0; id < calls; id++) socket.send({ ...wait(id), S: undefined, filling });
    await quiet(app);

    // What stood in the chunk that was being read is all that may come on top.
    const { taken, paused } = callsOf(app);
    expect(paused).to.equal(true);
    expect(taken).to.be.within(64, 64 + 64);
    expect(gate.begun).to.equal(taken);
    expect(socket.webSocket.bufferedAmount).to.be.greaterThan(calls * 4_000);

    // One that returns makes no room; when enough have, the rest is read, and each is answered once.
    while (gate.begun < calls || callsOf(app).taken > 0) {
      await gate.open();
      await quiet(app);
      expect(callsOf(app).taken).to.be.lessThan(64 + 64);
    }
    const answers = socket.frames.items.flatMap((text) => /^\{"I":"(\d+)"\}$/.exec(text)?.[1] ?? []);
    expect(answers.map(Number).sort((one, other) => one - other)).to.deep.equal([...Array(calls).keys()]);
    expect(callsOf(app)).to.deep.equal({ taken: 0, paused: false });
    await client.abort();
    expectNothingHeld(app.server);
  });

  it('whose calls never return is neither read nor lost, and is told what is sent', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const client = app.classic(['chat']);
    const socket = await client.start();
    for (let id = 0; id < 70; id++) socket.send(wait(id));
    await quiet(app);
    expect(callsOf(app).paused).to.equal(true);
    socket.webSocket.ping();
    // Its pongs lie unread: that is the server's doing, not its silence.
    await app.clock.advance(300_000);
    expect(serverSockets(app).size).to.equal(1);
    const before = socket.frames.count;
    await app.server.hub(ChatHub).clients.all.news();
    await settle();
    expect(socket.frames.count).to.equal(before + 1);
    await gate.open();
    socket.send({ H: 'chat', M: 'echo', A: ['here'], I: 'last' });
    expect(await socket.answer('last')).to.include({ R: 'here' });
    await app.clock.advance(60_000);
    expect(serverSockets(app).size).to.equal(1);
    await client.abort();
    expectNothingHeld(app.server);
  });

  it('and comes back on another socket is not read there either, until there is room', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const client = app.classic(['chat']);
    const socket = await client.start();
    for (let id = 0; id < 64; id++) socket.send(wait(id));
    await quiet(app);
    await socket.drop();
    const again = await client.reconnect();
    again.send({ H: 'chat', M: 'echo', A: ['here'], I: 'echo' });
    await quiet(app);
    expect(again.frames.count).to.equal(0);
    await gate.open();
    expect(await again.answer('echo')).to.include({ R: 'here' });
    // The answers of the calls that the old socket carried are not written to the new one.
    expect(again.frames.count).to.equal(1);
    await client.abort();
    expectNothingHeld(app.server);
  });

  it('before its connection is confirmed is not read past the limit either', async () => {
    const opening = new Gate();
    const slow = { name: 'slow', connect: (_: unknown, next: Next) => opening.enter().then(next) };
    await using app = rawApp({ hubs: [ChatHub], modules: [slow] });
    const client = await app.classic(['chat']).negotiate();
    const socket = await client.connect();
    for (let id = 0; id < 200; id++) socket.send({ ...wait(id), filling: 'x'.repeat(8_000) });
    await quiet(app);
    expect(callsOf(app).paused).to.equal(true);
    expect(callsOf(app).taken).to.be.within(64, 128);
    expect(gate.begun).to.equal(0);
    await opening.open();
    await quiet(app);
    expect(gate.begun).to.be.within(64, 128);
    await client.abort();
    expectNothingHeld(app.server);
  });

  it('and goes is forgotten with all its calls', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const client = app.classic(['chat']);
    const socket = await client.start();
    for (let id = 0; id < 300; id++) socket.send(wait(id));
    await quiet(app);
    await socket.drop();
    await app.clock.advance(32_000);
    expectNothingHeld(app.server);
    await gate.open();
    expectNothingHeld(app.server);
  });
});

/** The server's ends of the classic WebSockets. */
function serverSockets(app: RawApp): Set<WebSocket> {
  for (const endpoint of app.server['endpoints']) {
    const { receiving } = endpoint as unknown as { receiving?: { webSockets: { clients: Set<WebSocket> } } };
    if (receiving !== undefined) return receiving.webSockets.clients;
  }
  throw new Error('There is no classic endpoint.');
}

/** Waits until nothing moves any more. */
async function quiet(app: RawApp, last = -1): Promise<void> {
  await settle();
  const seen = callsOf(app).taken + gate.begun;
  if (seen !== last) await quiet(app, seen);
}
