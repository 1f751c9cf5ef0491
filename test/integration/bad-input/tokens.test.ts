import { type HubPipelineModule, hub, Hub, hubMethod, type Resume } from '@hubline/core';
import { sealGroupsToken } from '@hubline/core/internal/groups/groups-token.js';
import { sealConnectionToken } from '@hubline/core/internal/security/connection-token.js';
import { KeyRing } from '@hubline/core/internal/security/key-ring.js';
import { settle } from '@hubline/core/testing';
import { expect } from 'chai';
import { expectNothingHeld, rawApp, Refused, type RawApp, type RawClassic } from '../../support/raw-client.js';

interface ChatClient {
  said(text: string): void;
}

@hub('chat')
class ChatHub extends Hub<ChatClient> {
  @hubMethod() join(group: string) {
    return this.groups.add(group);
  }
}

const key = 'the key of this test';
const ring = new KeyRing([key]);

async function statusOf(client: RawClassic, suffix: string, connectionToken: string | undefined): Promise<number> {
  if (suffix === 'start' || suffix === 'abort') return (await client.get(suffix, { connectionToken })).status;
  try {
    await client.open(suffix, { connectionToken });
    return 101;
  } catch (error) {
    if (error instanceof Refused) return error.status;
    throw error;
  }
}

describe('a connection token', () => {
  const forged: readonly (readonly [what: string, make: (token: string, id: string) => string | undefined])[] = [
    ['is missing', () => undefined],
    ['is empty', () => ''],
    ['is any text', () => 'let me in'],
    ['is very long', () => 'A'.repeat(8_000)],
    ['is cut off', (token) => token.slice(0, -1)],
    ['is cut in half', (token) => token.slice(0, token.length / 2)],
    ['has something behind it', (token) => `${token}AAAA`],
    ['has something in it that is not read', (token) => `${token.slice(0, 9)}!${token.slice(9)}`],
    ['is there twice', (token) => `${token},${token}`],
    ['is what a token says, unsealed', (_, id) => JSON.stringify([id, '', 'x-0'])],
    ['is under another key', (_, id) => sealed(new KeyRing(['another key']), id)],
    [
      'is a groups token',
      (_, id) => sealGroupsToken(ring, { ...claimOf(id), groups: {} }, Number.POSITIVE_INFINITY).token,
    ],
  ];

  for (const [what, make] of forged) {
    it(`that ${what} is a 400 on every request, and nothing is left`, async () => {
      await using app = rawApp({ hubs: [ChatHub], keys: [key] });
      const client = await app.classic(['chat']).negotiate();
      const token = make(client.token, client.id);
      for (const suffix of ['connect', 'reconnect', 'start', 'abort'])
        expect(await statusOf(client, suffix, token), suffix).to.equal(400);
      expectNothingHeld(app.server);
      expect(await statusOf(client, 'connect', client.token)).to.equal(101);
    });
  }

  it('of which any byte is another is a 400', async () => {
    await using app = rawApp({ hubs: [ChatHub], keys: [key] });
    const client = await app.classic(['chat']).negotiate();
    const bytes = Buffer.from(client.token, 'base64url');
    for (let index = 0; index < bytes.length; index++) {
      const other = Buffer.from(bytes);
      other.writeUInt8((other[index] ?? 0) ^ (1 << (index % 8)), index);
      expect(await statusOf(client, 'start', other.toString('base64url')), `byte ${index}`).to.equal(400);
    }
  });

  it('of which any character is another is a 400', async () => {
    await using app = rawApp({ hubs: [ChatHub], keys: [key] });
    const { token, ...client } = await app.classic(['chat']).negotiate();
    expect(client).not.to.equal(undefined);
    const asked = app.classic(['chat']);
    for (let index = 0; index < token.length; index++) {
      const other = `${token.slice(0, index)}${token[index] === 'A' ? 'B' : 'A'}${token.slice(index + 1)}`;
      expect(await statusOf(asked, 'start', other), `character ${index}`).to.equal(400);
    }
  });

  const users: readonly (readonly [what: string, negotiated: string | undefined, asking: string | undefined])[] = [
    ['of another user', 'ann', 'bob'],
    ['of a user whose name differs in case', 'ann', 'Ann'],
    ['of nobody, by a user', undefined, 'bob'],
    ['of a user, by nobody', 'ann', undefined],
  ];
  for (const [what, negotiated, asking] of users) {
    it(`${what} is a 403 on every request, and the connection that is there goes on`, async () => {
      await using app = rawApp({ hubs: [ChatHub], keys: [key] });
      const headers = (user: string | undefined) => (user === undefined ? {} : { 'x-user': user });
      const owner = app.classic(['chat'], headers(negotiated));
      const socket = await owner.start();
      const thief = app.classic(['chat'], headers(asking));
      for (const suffix of ['connect', 'reconnect', 'start', 'abort'])
        expect(await statusOf(thief, suffix, owner.token), suffix).to.equal(403);
      socket.send({ H: 'chat', M: 'join', A: ['room'], I: 0 });
      expect(await socket.answer('0')).to.include({ R: 'joined' });
      await owner.abort();
      expectNothingHeld(app.server);
    });
  }
});

describe('a groups token', () => {
  interface Setting {
    readonly app: RawApp;
    /** Has been away until nobody remembered it; was in `room`. */
    readonly client: RawClassic;
  }

  const unbelievable: readonly (readonly [what: string, make: (given: Setting) => Promise<string | undefined>])[] = [
    ['is any text', async () => 'room'],
    ['is very long', async () => 'A'.repeat(8_000)],
    ['is cut off', async ({ client }) => client.groupsToken?.slice(0, -2)],
    ['is there twice', async ({ client }) => `${client.groupsToken},${client.groupsToken}`],
    ['is under another key', async ({ client }) => groupsToken(new KeyRing(['another']), client.id, 'ann')],
    ['is another user’s', async ({ client }) => groupsToken(ring, client.id, 'bob')],
    ['is nobody’s', async ({ client }) => groupsToken(ring, client.id, '')],
    ['is another connection’s', async () => groupsToken(ring, 'another', 'ann')],
    [
      'is another connection’s of the same user, as it was given',
      async ({ app }) => {
        const other = await inRoom(app);
        const token = other.groupsToken;
        await other.abort();
        return token;
      },
    ],
    ['is a connection token', async ({ client }) => client.token],
    [
      'has expired',
      async ({ app, client }) => {
        await app.clock.advance(121_000);
        return client.groupsToken;
      },
    ],
  ];

  for (const [what, make] of unbelievable) {
    it(`that ${what} brings no groups, and is no error`, async () => {
      const { module, resumes, claims } = watcher();
      await using app = rawApp({
        hubs: [ChatHub],
        keys: [key],
        groupsTokenLifetimeMs: 120_000,
        modules: [module],
      });
      const client = await inRoom(app);
      await vanish(app, client);
      const token = await make({ app, client });
      const socket = await client.reconnect({ groupsToken: token });
      expect(claims).to.deep.equal([[]]);
      expect(resumes).to.have.length(1);
      expect(resumes[0]).to.include({ newLife: true, complete: false });
      expect(resumes[0]?.groups).to.deep.equal([]);
      expect([...(resumes[0]?.refused ?? [])]).to.deep.equal([]);
      await expectNotInRoom(app, socket);
      await client.abort();
      expectNothingHeld(app.server);
    });
  }

  it('of its own brings its groups, where nobody remembers the connection', async () => {
    const { module, resumes } = watcher();
    await using app = rawApp({ hubs: [ChatHub], keys: [key], modules: [module] });
    const client = await inRoom(app);
    await vanish(app, client);
    await client.reconnect();
    expect(resumes[0]?.groups).to.deep.equal(['room']);
    await client.abort();
    expectNothingHeld(app.server);
  });

  it('that is presented on connect is not read', async () => {
    const { module, claims, resumes } = watcher();
    await using app = rawApp({ hubs: [ChatHub], keys: [key], modules: [module] });
    const client = await inRoom(app);
    await vanish(app, client);
    const socket = await client.connect({ groupsToken: client.groupsToken });
    await client.get('start');
    expect(claims).to.deep.equal([]);
    expect(resumes).to.deep.equal([]);
    await expectNotInRoom(app, socket);
    await client.abort();
    expectNothingHeld(app.server);
  });

  it('adds nothing to a connection that is held', async () => {
    const { module, claims } = watcher();
    await using app = rawApp({ hubs: [ChatHub], keys: [key], modules: [module] });
    const client = await inRoom(app);
    await app.server.hub(ChatHub).groups.remove('room', { connectionId: client.id });
    const socket = await client.reconnect({ groupsToken: await groupsToken(ring, client.id, 'ann') });
    expect(claims).to.deep.equal([[]]);
    await expectNotInRoom(app, socket);
  });

  /** Started as ann, and in `room`, with the groups token of that. */
  async function inRoom(app: RawApp): Promise<RawClassic> {
    const client = app.classic(['chat'], { 'x-user': 'ann' });
    const socket = await client.start();
    socket.send({ H: 'chat', M: 'join', A: ['room'], I: 'join' });
    await socket.answer('join');
    await socket.message(({ G }) => G !== undefined, 'the groups token');
    return client;
  }

  /** Goes away until the server has forgotten it. */
  async function vanish(app: RawApp, client: RawClassic): Promise<void> {
    const socket = await client.reconnect();
    watched?.reset();
    await socket.drop();
    await app.clock.advance(32_000);
    expect(app.server.connectionCount).to.equal(0);
    watched?.reset();
  }

  async function expectNotInRoom(
    app: RawApp,
    socket: { received: readonly { A: readonly unknown[] }[] },
  ): Promise<void> {
    const { clients } = app.server.hub(ChatHub);
    await clients.group('room').said('to the room');
    await clients.all.said('to all');
    await settle();
    expect(socket.received.map(({ A }) => A[0])).to.deep.equal(['to all']);
  }

  let watched: { reset(): void } | undefined;
  function watcher() {
    const resumes: Resume[] = [];
    const claims: (readonly string[])[] = [];
    const module: HubPipelineModule = {
      name: 'watcher',
      rejoiningGroups({ claimed }, next) {
        claims.push(claimed);
        return next();
      },
      reconnect({ resume }, next) {
        resumes.push(resume);
        return next();
      },
    };
    watched = {
      reset() {
        resumes.length = 0;
        claims.length = 0;
      },
    };
    return { module, resumes, claims };
  }
});

function claimOf(connectionId: string) {
  return { connectionId, userId: '', issuedAt: Date.UTC(2000, 0, 1) * 1_000, position: 'x-0' };
}

function sealed(protector: KeyRing, connectionId: string): string {
  return sealConnectionToken(protector, { connectionId, userId: '', position: 'x-0' });
}

/** A token that says that the connection is in `room`, as the virtual clock begins. */
function groupsToken(protector: KeyRing, connectionId: string, userId: string): Promise<string> {
  const claim = { ...claimOf(connectionId), userId, groups: { chat: ['room'] } };
  return Promise.resolve(sealGroupsToken(protector, claim, Number.POSITIVE_INFINITY).token);
}
