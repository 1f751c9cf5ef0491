import { hub, Hub, hubMethod, type HubPipelineModule, type Next } from '@hubline/core';
import { settle } from '@hubline/core/testing';
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { eventRecorder, expectNothingHeld, rawApp, type RawApp, type RawClassic } from '../support/raw-client.js';
import { RawUpgrade } from '../support/raw-upgrade.js';
import { localhost } from '../support/servers.js';

interface ChatClient {
  said(text: string): void;
}

@hub('chat')
class ChatHub extends Hub<ChatClient> {
  @hubMethod() async join(groups: readonly string[]) {
    for (const group of groups) await this.groups.add(group);
  }
}

/** Holds one stage, from the moment on that it is told to. */
class Holdup {
  /** Settles when the stage has begun. */
  readonly begun: Promise<void>;
  private begin: () => void = () => undefined;
  private go: (() => void) | undefined;
  private fail: ((error: Error) => void) | undefined;
  private active = false;
  readonly module: HubPipelineModule;

  constructor(stage: 'authorizeConnect' | 'rejoiningGroups' | 'reconnect') {
    this.begun = new Promise((resolve) => (this.begin = resolve));
    const hold = (_context: unknown, next: Next<never>) => this.wait().then(next);
    this.module = { name: 'holdup', [stage]: hold };
  }

  hold(): void {
    this.active = true;
  }

  release(error?: Error): void {
    if (error === undefined) this.go?.();
    else this.fail?.(error);
    this.active = false;
  }

  private wait(): Promise<void> {
    if (!this.active) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.go = resolve;
      this.fail = reject;
      this.begin();
    });
  }
}

const leavings = {
  'resets its socket': (raw: RawUpgrade) => raw.socket.resetAndDestroy(),
  'ends its socket': (raw: RawUpgrade) => raw.socket.end(),
} as const;

async function away(app: RawApp): Promise<RawClassic> {
  const client = app.classic(['chat']);
  const socket = await client.start();
  socket.send({ H: 'chat', M: 'join', A: [['a', 'b']], I: 0 });
  expect(await socket.answer('0')).not.to.have.property('E');
  await settle();
  await socket.drop();
  return client;
}

function recordOf(app: RawApp) {
  const [record] = [...app.server['dispatcher'].ground.registry];
  if (record === undefined) throw new Error('The server holds no connection.');
  return record;
}

/** Asks for a reconnect, and goes while the stage runs; the server has noticed. */
async function leaveInTheMiddle(
  app: RawApp,
  client: RawClassic,
  holdup: Holdup,
  leave: (raw: RawUpgrade) => unknown,
): Promise<RawUpgrade> {
  const port = await app.server.listen(0, localhost);
  const { cursor, groupsToken } = client;
  const raw = await RawUpgrade.open(port, client.path('reconnect', { messageId: cursor, groupsToken }));
  await holdup.begun;
  expect(recordOf(app).hasTransport).to.equal(true);
  leave(raw);
  await eventually(() => !recordOf(app).hasTransport, 'the server notices that the client has left');
  return raw;
}

describe('a client that leaves while a stage of its resume runs', () => {
  for (const stage of ['authorizeConnect', 'rejoiningGroups', 'reconnect'] as const)
    for (const [how, leave] of Object.entries(leavings)) {
      it(`${how} during ${stage}: no 101, its groups are back, and it waits for the time that it had`, async () => {
        const holdup = new Holdup(stage);
        const recorder = eventRecorder();
        await using app = rawApp({ hubs: [ChatHub], modules: [recorder, holdup.module] });
        const client = await away(app);
        await app.clock.advance(10_000);
        holdup.hold();
        const raw = await leaveInTheMiddle(app, client, holdup, leave);
        // The time of the stages is not the client's.
        await app.clock.advance(2_000);
        expect(recordOf(app).state).to.equal('resuming');
        holdup.release();
        await settle();

        expect(await raw.closed()).to.equal('');
        expect(recordOf(app).state).to.equal('waiting');
        expect(recordOf(app).memberships.of('chat')).to.have.members(['a', 'b']);
        expect(recorder.events).to.deep.equal(['connect', 'reconnect']);
        await app.clock.advance(18_000);
        expect(app.server.connectionCount).to.equal(1);
        await app.clock.advance(4_000);
        expect(recorder.events).to.deep.equal(['connect', 'reconnect', 'disconnect timeout']);
        expectNothingHeld(app.server);
      });

      it(`${how} during ${stage}, which then throws: its groups are back, and it waits for the time that it had`, async () => {
        const holdup = new Holdup(stage);
        const recorder = eventRecorder();
        await using app = rawApp({ hubs: [ChatHub], modules: [recorder, holdup.module] });
        const client = await away(app);
        await app.clock.advance(10_000);
        holdup.hold();
        const raw = await leaveInTheMiddle(app, client, holdup, leave);
        holdup.release(new Error('the store is down'));
        await settle();

        expect(await raw.closed()).to.equal('');
        expect(recordOf(app).state).to.equal('waiting');
        expect(recordOf(app).memberships.of('chat')).to.have.members(['a', 'b']);
        await app.clock.advance(18_000);
        expect(app.server.connectionCount).to.equal(1);
        await app.clock.advance(4_000);
        expect(recorder.events).to.deep.equal(['connect', 'disconnect timeout']);
        expectNothingHeld(app.server);
      });

      it(`${how} during ${stage} of a new life: it has the whole time`, async () => {
        const holdup = new Holdup(stage);
        const recorder = eventRecorder();
        await using app = rawApp({ hubs: [ChatHub], modules: [recorder, holdup.module] });
        const client = await away(app);
        await app.clock.advance(32_000);
        expectNothingHeld(app.server);
        recorder.events.length = 0;
        holdup.hold();
        const raw = await leaveInTheMiddle(app, client, holdup, leave);
        holdup.release();
        await settle();

        expect(await raw.closed()).to.equal('');
        expect(recordOf(app).state).to.equal('waiting');
        expect(recordOf(app).memberships.of('chat')).to.have.members(['a', 'b']);
        await app.clock.advance(28_000);
        expect(app.server.connectionCount).to.equal(1);
        await app.clock.advance(4_000);
        expect(recorder.events).to.deep.equal(['reconnect anew', 'disconnect timeout']);
        expectNothingHeld(app.server);
      });
    }

  it('comes back, and has what it missed', async () => {
    const holdup = new Holdup('reconnect');
    await using app = rawApp({ hubs: [ChatHub], modules: [holdup.module] });
    const client = await away(app);
    const { clients } = app.server.hub(ChatHub);
    await clients.group('a').said('before');
    holdup.hold();
    await leaveInTheMiddle(app, client, holdup, leavings['resets its socket']);
    await clients.group('b').said('meanwhile');
    holdup.release();
    await settle();
    await clients.group('a').said('after');
    const socket = await client.reconnect();
    await settle();
    expect(socket.received.map(({ A }) => A[0])).to.deep.equal(['before', 'meanwhile', 'after']);
    await client.abort();
    expectNothingHeld(app.server);
  });

  it('comes back while that stage still runs, and shares what becomes of it', async () => {
    const holdup = new Holdup('rejoiningGroups');
    const recorder = eventRecorder();
    await using app = rawApp({ hubs: [ChatHub], modules: [recorder, holdup.module] });
    const client = await away(app);
    holdup.hold();
    const raw = await leaveInTheMiddle(app, client, holdup, leavings['ends its socket']);
    const coming = client.reconnect();
    await eventually(() => recordOf(app).hasTransport, 'the second request');
    holdup.release();
    const socket = await coming;
    expect(await raw.closed()).to.equal('');
    expect(recorder.events).to.deep.equal(['connect', 'reconnect']);
    await app.server.hub(ChatHub).clients.group('a').said('hello');
    await settle();
    expect(socket.received.map(({ A }) => A[0])).to.deep.equal(['hello']);
    await client.abort();
    expectNothingHeld(app.server);
  });
});
