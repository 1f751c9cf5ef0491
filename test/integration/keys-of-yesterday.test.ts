import { hub, Hub, hubMethod, type HubPipelineModule, type Resume } from '@hubline/core';
import { openGroupsToken } from '@hubline/core/internal/groups/groups-token.js';
import { KeyRing } from '@hubline/core/internal/security/key-ring.js';
import { settle } from '@hubline/core/testing';
import { expect } from 'chai';
import { eventRecorder, expectNothingHeld, rawApp, RawClassic, Refused, type RawApp } from '../support/raw-client.js';

interface ChatClient {
  said(text: string): void;
}

@hub('chat')
class ChatHub extends Hub<ChatClient> {
  @hubMethod() join(group: string) {
    return this.groups.add(group);
  }
}

const [k1, k2] = ['the key of yesterday', 'the key of today'] as const;

/** Started where `keys` were used and in `room`, and carried on to another server. */
async function clientOf(keys: readonly string[], next: RawApp): Promise<RawClassic> {
  await using app = rawApp({ hubs: [ChatHub], keys });
  const client = app.classic(['chat'], { 'x-user': 'ann' });
  const socket = await client.start();
  await join(socket, 'room');
  const moved = next.classic(['chat'], { 'x-user': 'ann' });
  return Object.assign(moved, {
    token: client.token,
    id: client.id,
    cursor: client.cursor,
    groupsToken: client.groupsToken,
  });
}

async function join(socket: Awaited<ReturnType<RawClassic['connect']>>, group: string): Promise<void> {
  socket.send({ H: 'chat', M: 'join', A: [group], I: group });
  expect(await socket.answer(group)).to.include({ R: 'joined' });
  await settle();
}

/** The least of several times: the machine may be busy. */
async function leastMs(work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < 5; turn++) {
    const before = performance.now();
    await work();
    times.push(performance.now() - before);
  }
  return Math.min(...times);
}

describe('a server with a new key in front of the old one', () => {
  it('takes back a client whose tokens are under the old one, with its groups', async () => {
    const resumes: Resume[] = [];
    const watcher: HubPipelineModule = {
      name: 'watcher',
      reconnect({ resume }, next) {
        resumes.push(resume);
        return next();
      },
    };
    await using app = rawApp({ hubs: [ChatHub], keys: [k2, k1], modules: [watcher] });
    const client = await clientOf([k1], app);
    const socket = await client.reconnect();
    expect(resumes).to.have.length(1);
    expect(resumes[0]).to.deep.include({ newLife: true, groups: ['room'] });
    await app.server.hub(ChatHub).clients.group('room').said('hello');
    await settle();
    expect(socket.received.map(({ A }) => A[0])).to.deep.equal(['hello']);
  });

  it('seals the next groups token under the new one', async () => {
    await using app = rawApp({ hubs: [ChatHub], keys: [k2, k1] });
    const client = await clientOf([k1], app);
    const old = client.groupsToken as string;
    expect(openGroupsToken(new KeyRing([k1]), old)).to.be.an('object');
    await join(await client.reconnect(), 'another');
    const token = client.groupsToken as string;
    expect(openGroupsToken(new KeyRing([k1]), token)).to.equal(undefined);
    expect(openGroupsToken(new KeyRing([k2]), token)?.groups).to.deep.equal({ chat: ['room', 'another'] });
  });

  it('negotiates under the new one', async () => {
    await using app = rawApp({ hubs: [ChatHub], keys: [k2, k1] });
    const client = await app.classic(['chat']).negotiate();
    expect(new KeyRing([k2]).unprotect('connection-token', client.token)).to.be.a('string');
    expect(new KeyRing([k1]).unprotect('connection-token', client.token)).to.equal(undefined);
  });
});

describe('a server without the old key', () => {
  for (const suffix of ['reconnect', 'connect', 'start', 'abort'] as const) {
    it(`answers 400 to ${suffix} with a token under it, at once`, async () => {
      await using app = rawApp({ hubs: [ChatHub], keys: [k2] });
      const client = await clientOf([k1], app);
      const ask = async (): Promise<void> => {
        const status =
          suffix === 'start' || suffix === 'abort'
            ? (await client.get(suffix)).status
            : await client.open(suffix).then(
                () => 101,
                (error: unknown) => (error as Refused).status,
              );
        expect(status).to.equal(400);
      };
      expect(await leastMs(ask)).to.be.lessThan(100);
      expectNothingHeld(app.server);
      // Nobody has to be woken up: it is what clients do after such a change.
      expect(app.log.items.filter(({ level }) => level !== 'debug')).to.deep.equal([]);
    });
  }

  it('lets a client that negotiates anew start again, and does not believe its old groups', async () => {
    await using app = rawApp({ hubs: [ChatHub], keys: [k2] });
    const client = await clientOf([k1], app);
    client.token = '';
    const socket = await client.start({ groupsToken: client.groupsToken });
    await app.server.hub(ChatHub).clients.group('room').said('hello');
    await settle();
    expect(socket.received).to.deep.equal([]);
  });

  it('goes on with a connection that it holds until its socket is lost: only then it cannot come back', async () => {
    const recorder = eventRecorder();
    await using app = rawApp({ hubs: [ChatHub], keys: [k1], modules: [recorder] });
    const client = app.classic(['chat'], { 'x-user': 'ann' });
    const socket = await client.start();
    await join(socket, 'room');
    Object.assign(app.server['dispatcher'].ground, { protector: new KeyRing([k2]) });

    // It calls, receives, and is given groups tokens.
    await join(socket, 'another');
    expect(openGroupsToken(new KeyRing([k2]), client.groupsToken as string)).to.be.an('object');
    await app.server.hub(ChatHub).clients.group('another').said('hello');
    await settle();
    expect(socket.received.map(({ A }) => A[0])).to.deep.equal(['hello']);

    await socket.drop();
    const refused = await client.reconnect().catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Refused).with.property('status', 400);
    expect(await client.get('abort')).to.have.property('status', 400);
    await app.clock.advance(32_000);
    expect(recorder.events).to.deep.equal(['connect', 'disconnect timeout']);
    expectNothingHeld(app.server);
  });
});
