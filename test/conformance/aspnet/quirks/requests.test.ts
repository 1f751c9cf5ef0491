import { createUser } from '@hubline/core';
import { expect } from 'chai';
import { ClassicWire } from '../../../support/classic-wire.js';
import type { TestServerOptions } from '../../../support/servers.js';
import { setUp, refusal, json } from './set-up.js';

describe('quirks of the classic wire: requests', () => {
  it('a ping needs neither token nor transport, and is answered with pong', async () => {
    const { wire } = await setUp();
    const answer = await wire.get('/signalr/ping?_=1700000000000');
    expect(answer.status).to.equal(200);
    expect(json(answer)).to.deep.equal({ Response: 'pong' });
    expect(answer.headers['content-type']).to.equal('application/json; charset=UTF-8');
  });

  it('start is answered with started', async () => {
    const { wire } = await setUp();
    await wire.negotiate();
    await wire.connect();
    const answer = await wire.start();
    expect(answer.status).to.equal(200);
    expect(json(answer)).to.deep.equal({ Response: 'started' });
    expect(answer.headers['content-type']).to.equal('application/json; charset=UTF-8');
  });

  for (const suffix of ['/negotiate', '/ping', '/start', '/abort', '/hubs', '/connect']) {
    it(`JSONP is a 400 at ${suffix} that says so`, async () => {
      const { wire } = await setUp();
      await wire.negotiate();
      const answer = await wire.get(`/signalr${suffix}`, wire.query({ transport: 'webSockets', callback: 'f' }));
      expect(answer.status).to.equal(400);
      expect(answer.body).to.contain('JSONP');
    });
  }

  it('an empty callback is none', async () => {
    const { wire } = await setUp();
    expect((await wire.get('/signalr/negotiate', wire.query({ callback: '' }))).status).to.equal(200);
  });

  it('forever frame is a 400 that says so', async () => {
    const { wire } = await setUp();
    await wire.negotiate();
    const answer = await wire.get('/signalr/connect', wire.query({ transport: 'foreverFrame' }));
    expect(answer.status).to.equal(400);
    expect(answer.body.toLowerCase()).to.contain('forever frame');
  });

  for (const [what, transport] of [
    ['missing', undefined],
    ['empty', ''],
    ['unknown', 'carrierPigeon'],
  ] as const) {
    it(`a transport that is ${what} is a 400`, async () => {
      const { wire } = await setUp();
      await wire.negotiate();
      for (const suffix of ['/start', '/connect', '/reconnect', '/send', '/poll', '/abort', ''])
        expect((await wire.get(`/signalr${suffix}`, wire.query({ transport }))).status, suffix).to.equal(400);
      expect(await refusal(wire.connect({ transport }))).to.equal(400);
    });
  }

  it("the transport's name ignores case", async () => {
    const { wire } = await setUp();
    await wire.negotiate();
    const socket = await wire.connect({ transport: 'WEBSOCKETS' });
    expect(await socket.frame(1)).to.contain('"S":1');
    expect((await wire.start({ transport: 'websockets' })).status).to.equal(200);
  });

  it('WebSockets without an upgrade are a 400', async () => {
    const { wire } = await setUp();
    await wire.negotiate();
    for (const suffix of ['/connect', '/reconnect', ''])
      expect((await wire.get(`/signalr${suffix}`, wire.query({ transport: 'webSockets' }))).status).to.equal(400);
  });

  const tokens: readonly [what: string, token: (valid: string, groups: string) => string | undefined][] = [
    ['is missing', () => undefined],
    ['is empty', () => ''],
    ['is garbage', () => 'garbage'],
    ['has been cut short', (valid) => valid.slice(0, -4)],
    ['has been changed', (valid) => `${valid.slice(0, 20)}${valid[20] === 'A' ? 'B' : 'A'}${valid.slice(21)}`],
    ['is a groups token', (_valid, groups) => groups],
  ];
  for (const [what, tokenOf] of tokens) {
    it(`a connection token that ${what} is a 400`, async () => {
      const { wire } = await setUp();
      const socket = await wire.begin();
      socket.send({ H: 'rooms', M: 'join', A: ['a'], I: 0 });
      await socket.answer(0);
      const groups = socket.carried.groupsToken as string;
      const more = { connectionToken: tokenOf(wire.token, groups) };
      expect((await wire.start(more)).status).to.equal(400);
      expect((await wire.abort(more)).status).to.equal(400);
      expect(await refusal(wire.connect(more))).to.equal(400);
      expect(await refusal(wire.reconnect(more))).to.equal(400);
    });
  }

  it("another user's connection token is a 403, with and without a name on either side", async () => {
    const { url } = await setUp();
    const users: readonly (string | undefined)[] = ['ann', undefined];
    for (const owner of users)
      for (const other of ['bob', 'ann', undefined]) {
        if (owner === other) continue;
        const wire = await new ClassicWire(url, { query: { user: owner } }).negotiate();
        const more = { user: other };
        expect((await wire.start(more)).status).to.equal(403);
        expect((await wire.abort(more)).status).to.equal(403);
        expect(await refusal(wire.connect(more))).to.equal(403);
        expect(await refusal(wire.reconnect(more))).to.equal(403);
      }
  });

  it('a start for a connection that nobody has is a 503', async () => {
    const { wire } = await setUp();
    await wire.negotiate();
    expect((await wire.start()).status).to.equal(503);
  });

  it('an abort for a connection that nobody has is a 200 without effect', async () => {
    const { wire, journal } = await setUp();
    await wire.negotiate();
    const answer = await wire.abort();
    expect(answer).to.include({ status: 200, body: '' });
    expect(answer.headers['content-type']).to.match(/^text\/plain/);
    const socket = await wire.connect();
    expect(await socket.frame(1)).to.contain('"S":1');
    expect(journal.entries.items).to.deep.equal([]);
  });

  it('users are told apart by their id, not by their name', async () => {
    const authenticate: TestServerOptions['authenticate'] = ({ query }) =>
      createUser({ id: query.get('user') ?? 'nobody', name: 'the same name' });
    const { wire } = await setUp({ query: { user: 'ann' } }, { authenticate });
    await wire.negotiate();
    expect(await refusal(wire.connect({ user: 'bob' }))).to.equal(403);
  });
});
