import {
  defineErrors,
  type DisconnectReason,
  hub,
  Hub,
  HubException,
  hubMethod,
  type HubPipelineModule,
  type HubType,
  type Resume,
  type RejoiningGroupsContext,
} from '@hubline/core';
import { failure, settle } from '@hubline/core/testing';
import { expect } from 'chai';
import {
  expectNothingHeld,
  rawApp,
  Refused,
  type RawApp,
  type RawClassic,
  type RawSocket,
} from '../../support/raw-client.js';

interface ChatClient {
  said(text: string): void;
}

const moduleError = defineErrors({ HUB_TEST_CLOSED: () => 'We are closed.' });

let told: string[] = [];
let connecting: (hub: string) => Promise<void> | void = () => undefined;

@hub('one')
class OneHub extends Hub<ChatClient> {
  override async onConnected(): Promise<void> {
    await connecting('one');
    told.push('one connected');
  }
  override onReconnected({ newLife }: Resume): void {
    told.push(`one reconnected${newLife ? ' anew' : ''}`);
  }
  override onDisconnected(reason: DisconnectReason): void {
    told.push(`one disconnected ${reason}`);
  }
  @hubMethod() async join(groups: readonly string[]) {
    for (const group of groups) await this.groups.add(group);
  }
}

@hub('two')
class TwoHub extends Hub<ChatClient> {
  override async onConnected(): Promise<void> {
    await connecting('two');
    told.push('two connected');
  }
  override onDisconnected(reason: DisconnectReason): void {
    told.push(`two disconnected ${reason}`);
  }
  @hubMethod() async join(groups: readonly string[]) {
    for (const group of groups) await this.groups.add(group);
  }
}

const never = () => new Promise<never>(() => undefined);

function app(...modules: HubPipelineModule[]): RawApp {
  return rawApp({ hubs: [OneHub, TwoHub] as HubType[], modules });
}

async function refusal(promise: Promise<unknown>): Promise<Refused> {
  const error = await failure(promise);
  expect(error).to.be.instanceOf(Refused);
  return error as Refused;
}

async function join(socket: RawSocket, hubName: string, ...groups: readonly string[]): Promise<void> {
  socket.send({ H: hubName, M: 'join', A: [groups], I: hubName });
  expect(await socket.answer(hubName)).not.to.have.property('E');
  await settle();
}

describe('pipeline stages of a connection', () => {
  beforeEach(() => {
    told = [];
    connecting = () => undefined;
  });

  describe('disconnect', () => {
    const failing: readonly (readonly [what: string, disconnect: HubPipelineModule['disconnect']])[] = [
      [
        'throws before next',
        () => {
          throw new Error('no');
        },
      ],
      [
        'rejects before next',
        async () => {
          await settle();
          throw new Error('no');
        },
      ],
      ['ends without next', () => undefined],
      [
        'throws after next',
        async (_context, next) => {
          await next();
          throw new Error('no');
        },
      ],
      [
        'does not wait for next',
        (_context, next) => {
          void next();
        },
      ],
      [
        'calls next twice',
        async (_context, next) => {
          await next();
          await next();
        },
      ],
    ];
    for (const [what, disconnect] of failing) {
      it(`that ${what}: the hub is told all the same, once`, async () => {
        await using server = app({ name: 'failing', disconnect });
        const client = server.classic(['one']);
        await client.start();
        await client.abort();
        expect(told).to.deep.equal(['one connected', 'one disconnected client']);
        if (what !== 'does not wait for next') expect(server.loggedCodes).to.include('HUB_EVENT_FAILED');
        expectNothingHeld(server.server);
      });
    }

    it('runs once for each hub, with the reason', async () => {
      const reasons: string[] = [];
      await using server = app({
        name: 'watcher',
        disconnect({ hub: { name }, reason }, next) {
          reasons.push(`${name} ${reason}`);
          return next();
        },
      });
      const client = server.classic(['one', 'two']);
      await (await client.start()).drop();
      await server.clock.advance(32_000);
      await client.abort();
      expect(reasons).to.have.members(['one timeout', 'two timeout']);
    });
  });

  describe('a deadline', () => {
    it('of authorizeConnect is a 503 on each of the requests that ask, and a connection that is held waits on', async () => {
      let isSlow = false;
      await using server = app({ name: 'slow', authorizeConnect: (_, next) => (isSlow ? never() : next()) });
      const held = server.classic(['one']);
      await (await held.start()).drop();
      const fresh = await server.classic(['one']).negotiate();
      isSlow = true;
      const asked = Promise.all([
        server.classic(['one']).get('negotiate'),
        refusal(fresh.connect()),
        refusal(fresh.reconnect()),
        refusal(held.reconnect()),
      ]);
      await server.clock.advance(3_100);
      expect((await asked).map(({ status }) => status)).to.deep.equal([503, 503, 503, 503]);
      expect(server.server.connectionCount).to.equal(1);
      isSlow = false;
      await held.reconnect();
      await held.abort();
      expectNothingHeld(server.server);
    });

    for (const stage of ['rejoiningGroups', 'reconnect'] as const) {
      it(`of ${stage} leaves nothing half joined, and the client may come again`, async () => {
        let isSlow = false;
        const adding: HubPipelineModule = {
          name: 'adding',
          async rejoiningGroups(_context, next) {
            const groups = await next();
            return isSlow ? ['a', 'new'] : groups;
          },
        };
        await using server = app(adding, {
          name: 'slow',
          [stage]: (_context: unknown, next: () => unknown) => (isSlow ? never() : next()),
        });
        const client = server.classic(['one']);
        const socket = await client.start();
        await join(socket, 'one', 'a', 'b');
        await socket.drop();
        isSlow = true;
        const refused = refusal(client.reconnect());
        await server.clock.advance(5_100);
        expect((await refused).status).to.equal(503);
        const [record] = [...server.server['dispatcher'].ground.registry];
        expect(record?.memberships.of('one')).to.have.members(['a', 'b']);
        isSlow = false;
        const again = await client.reconnect();
        await server.server.hub(OneHub).clients.group('b').said('hello');
        await settle();
        expect(again.received.map(({ A }) => A[0])).to.deep.equal(['hello']);
        await client.abort();
        expectNothingHeld(server.server);
      });
    }
  });

  describe('authorizeConnect', () => {
    type Answer = () => boolean | Promise<boolean>;
    const answers: readonly (readonly [what: string, answer: Answer, anonymous: number, known: number])[] = [
      ['answers false', () => false, 401, 403],
      ['answers false later', () => settle().then(() => false), 401, 403],
      [
        'throws a coded error',
        () => {
          throw moduleError('HUB_TEST_CLOSED');
        },
        403,
        403,
      ],
      [
        'throws anything else',
        () => {
          throw new Error('the store is down');
        },
        500,
        500,
      ],
      [
        'rejects with anything else',
        async () => {
          await settle();
          throw new Error('the store is down');
        },
        500,
        500,
      ],
      ['answers no boolean', () => 'yes' as never, 403, 403],
    ];
    for (const [what, answer, anonymous, known] of answers)
      for (const [who, headers, status] of [
        ['nobody known', {}, anonymous],
        ['ann', { 'x-user': 'ann' }, known],
      ] as const) {
        it(`that ${what} is a ${status} for ${who}, at every request that opens something, and no hub hears of it`, async () => {
          let isClosed = false;
          await using server = app({ name: 'door', authorizeConnect: (_, next) => (isClosed ? answer() : next()) });
          const held = server.classic(['one'], headers);
          const socket = await held.start();
          const fresh = await server.classic(['one'], headers).negotiate();
          told = [];
          isClosed = true;
          expect(await server.classic(['one'], headers).get('negotiate')).to.have.property('status', status);
          expect((await refusal(fresh.connect())).status).to.equal(status);
          expect((await refusal(fresh.reconnect())).status).to.equal(status);
          expect(told).to.deep.equal([]);
          // A ping and a call are not asked about.
          expect(await held.get('ping')).to.have.property('status', 200);
          await join(socket, 'one', 'a');
          await socket.drop();
          expect((await refusal(held.reconnect())).status).to.equal(status);
          // What says no has said it for good; what could not tell may be asked again.
          const isRefused = what.startsWith('answers false');
          expect(server.server.connectionCount).to.equal(isRefused ? 0 : 1);
          expect(told).to.deep.equal(isRefused ? ['one disconnected auth'] : []);
        });
      }

    it('that throws a HubException is a 403 for somebody known', async () => {
      await using server = app({
        name: 'door',
        authorizeConnect() {
          throw new HubException('Not you.');
        },
      });
      expect(await server.classic(['one'], { 'x-user': 'ann' }).get('negotiate')).to.have.property('status', 403);
    });

    it('that refuses one of two hubs on a resume tells that one so, and it stays refused', async () => {
      let refused: string | undefined;
      await using server = app({
        name: 'door',
        authorizeConnect: ({ hub: { name } }, next) => (name === refused ? false : next()),
      });
      const client = server.classic(['one', 'two']);
      const socket = await client.start();
      await join(socket, 'one', 'a');
      await join(socket, 'two', 'b');
      await socket.drop();
      refused = 'two';
      const again = await client.reconnect();
      expect(told.filter((line) => line.includes('disconnected'))).to.deep.equal(['two disconnected auth']);
      // Its groups are left, its messages are not for this client any more.
      await server.server.hub(TwoHub).clients.group('b').said('to b');
      await server.server.hub(TwoHub).clients.all.said('to two');
      await server.server.hub(OneHub).clients.group('a').said('to a');
      await settle();
      expect(again.received.map(({ A }) => A[0])).to.deep.equal(['to a']);
      again.send({ H: 'two', M: 'join', A: [['c']], I: 'call' });
      expect(await again.answer('call')).to.have.property('E');
      await again.drop();
      refused = undefined;
      const third = await client.reconnect();
      third.send({ H: 'two', M: 'join', A: [['c']], I: 'call' });
      expect(await third.answer('call')).to.have.property('E');
      await client.abort();
      expect(told.filter((line) => line.includes('disconnected'))).to.deep.equal([
        'two disconnected auth',
        'one disconnected client',
      ]);
      expectNothingHeld(server.server);
    });

    it('is asked once for a hub that is called and not listed', async () => {
      const asked: string[] = [];
      await using server = app({
        name: 'door',
        authorizeConnect({ hub: { name }, connection }, next) {
          if (connection !== undefined) asked.push(name);
          return name === 'two' ? false : next();
        },
      });
      const client = server.classic(['one']);
      const socket = await client.start();
      asked.length = 0;
      for (let id = 0; id < 3; id++) {
        socket.send({ H: 'two', M: 'join', A: [['a']], I: id });
        expect(await socket.answer(String(id))).to.have.property('E');
      }
      expect(asked).to.deep.equal(['two']);
    });
  });

  describe('connect', () => {
    it('of several hubs runs beside each other; one that throws refuses the connection, and the others are told', async () => {
      connecting = async (name) => {
        if (name === 'two') throw new Error('no');
        await settle();
      };
      await using server = app();
      const client = server.classic(['one', 'two']);
      await client.negotiate();
      const socket = await client.connect();
      expect(await client.get('start')).to.have.property('status', 500);
      expect(told).to.deep.equal(['one connected', 'one disconnected error']);
      await socket.closed();
      expectNothingHeld(server.server);
      // A client of 2.x is told to stop for good.
      expect(JSON.parse(socket.frames.items.at(-1) as string)).to.have.property('E');
    });

    it('that throws a HubException tells the client why', async () => {
      connecting = () => {
        throw new HubException('No more seats.');
      };
      await using server = app();
      const client = await server.classic(['one']).negotiate();
      const socket = await client.connect();
      expect(await client.get('start')).to.deep.equal({ status: 500, body: 'No more seats.' });
      await socket.closed();
      expect(JSON.parse(socket.frames.items.at(-1) as string)).to.deep.equal({ E: 'No more seats.' });
    });

    it('runs once, however often it is asked for, and whatever becomes of it is everybody’s answer', async () => {
      let runs = 0;
      connecting = async () => {
        runs++;
        await settle();
      };
      await using server = app();
      const client = await server.classic(['one']).negotiate();
      await client.connect();
      const answers = await Promise.all(Array.from({ length: 5 }, () => client.get('start')));
      expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200, 200]);
      expect(runs).to.equal(1);
    });
  });

  describe('rejoiningGroups', () => {
    type Rejoining = (context: RejoiningGroupsContext) => readonly string[];

    /** A client that was in `a`, `b` and `c` of hub one and comes back; what `answer` says is asked. */
    async function resumed(
      answer: Rejoining,
      meanwhile: (server: RawApp, client: RawClassic) => Promise<void> | void = () => undefined,
    ) {
      const resumes: Resume[] = [];
      const claims: (readonly string[])[] = [];
      const server = app({
        name: 'decider',
        rejoiningGroups(context) {
          claims.push(context.claimed);
          return answer(context);
        },
        reconnect({ resume }, next) {
          resumes.push(resume);
          return next();
        },
      });
      const client = server.classic(['one']);
      const socket = await client.start();
      await join(socket, 'one', 'a', 'b', 'c');
      await socket.drop();
      await meanwhile(server, client);
      const again = await client.reconnect();
      await settle();
      const inGroups: string[] = [];
      for (const group of ['a', 'b', 'c', 'd']) {
        const before = again.received.length;
        await server.server.hub(OneHub).clients.group(group).said(group);
        await settle();
        if (again.received.length > before) inGroups.push(group);
      }
      const [resume] = resumes as [Resume];
      await server[Symbol.asyncDispose]();
      return {
        claims,
        inGroups,
        groups: [...resume.groups].sort(),
        refused: Object.fromEntries(resume.refused),
        resume,
      };
    }

    it('is given what the connection was in, and its answer is what it is in', async () => {
      const { claims, inGroups, groups, refused } = await resumed(({ claimed }) => claimed);
      expect(claims).to.deep.equal([['a', 'b', 'c']]);
      expect(inGroups).to.deep.equal(['a', 'b', 'c']);
      expect(groups).to.deep.equal(['a', 'b', 'c']);
      expect(refused).to.deep.equal({});
    });

    it('that leaves a group out has dropped it; with refuse() there is a reason', async () => {
      const { inGroups, refused } = await resumed((context) => {
        context.refuse('b', 'notMember');
        return ['a'];
      });
      expect(inGroups).to.deep.equal(['a']);
      expect(refused).to.deep.equal({ b: 'notMember', c: 'dropped' });
    });

    it('has an answer that wins over refuse()', async () => {
      const { inGroups, refused } = await resumed((context) => {
        context.refuse('b', 'notMember');
        return context.claimed;
      });
      expect(inGroups).to.deep.equal(['a', 'b', 'c']);
      expect(refused).to.deep.equal({});
    });

    it('may answer a group that was not claimed: it is joined', async () => {
      const { inGroups, groups, refused } = await resumed(({ claimed }) => [...claimed, 'd', 'd']);
      expect(inGroups).to.deep.equal(['a', 'b', 'c', 'd']);
      expect(groups).to.deep.equal(['a', 'b', 'c', 'd']);
      expect(refused).to.deep.equal({});
    });

    it('is not given what was revoked meanwhile: that is refused as revoked', async () => {
      const { claims, inGroups, refused } = await resumed(
        ({ claimed }) => claimed,
        (server, client) => server.server.groups.revoke({ hub: 'one', group: 'b', connectionId: client.id }),
      );
      expect(claims).to.deep.equal([['a', 'c']]);
      expect(inGroups).to.deep.equal(['a', 'c']);
      expect(refused).to.deep.equal({ b: 'revoked' });
    });

    it('is not given what was revoked since the token was issued, where nobody remembers the connection', async () => {
      const { claims, refused, resume } = await resumed(
        ({ claimed }) => claimed,
        async (server, client) => {
          await server.clock.advance(32_000);
          expectNothingHeld(server.server);
          server.server.groups.revoke({ hub: 'one', group: 'b', connectionId: client.id });
        },
      );
      expect(resume.newLife).to.equal(true);
      expect(claims).to.deep.equal([['a', 'c']]);
      expect(refused).to.deep.equal({ b: 'revoked' });
    });

    it('that answers nothing keeps nothing, and with nothing claimed it is asked all the same', async () => {
      const { inGroups, refused } = await resumed(() => []);
      expect(inGroups).to.deep.equal([]);
      expect(refused).to.deep.equal({ a: 'dropped', b: 'dropped', c: 'dropped' });
      const { claims } = await resumed(
        ({ claimed }) => claimed,
        async (server, client) => {
          for (const group of ['a', 'b', 'c'])
            await server.server.hub(OneHub).groups.remove(group, { connectionId: client.id });
        },
      );
      expect(claims).to.deep.equal([[]]);
    });

    const bad: readonly (readonly [what: string, answer: unknown])[] = [
      ['nothing', undefined],
      ['a text', 'a'],
      ['a set', new Set(['a'])],
      ['names that are no texts', ['a', 7]],
      ['an empty name', ['a', '']],
      ['a name that is too long', ['x'.repeat(5_000)]],
      ['a promise that rejects', Promise.reject(new Error('the store is down'))],
    ];
    for (const [, answer] of bad) if (answer instanceof Promise) answer.catch(() => undefined);
    for (const [what, answer] of bad) {
      it(`that answers ${what} refuses the resume, and the groups are as they were`, async () => {
        let isBad = false;
        await using server = app({
          name: 'decider',
          rejoiningGroups: ({ claimed }) => (isBad ? (answer as readonly string[]) : claimed),
        });
        const client = server.classic(['one']);
        const socket = await client.start();
        await join(socket, 'one', 'a', 'b');
        await socket.drop();
        isBad = true;
        expect((await refusal(client.reconnect())).status).to.be.oneOf([403, 500]);
        const [record] = [...server.server['dispatcher'].ground.registry];
        expect(record?.memberships.of('one')).to.have.members(['a', 'b']);
        isBad = false;
        await client.reconnect();
        await client.abort();
        expectNothingHeld(server.server);
      });
    }

    it('runs once for each hub that is listed, and sees the groups of that hub alone', async () => {
      const claims: Record<string, readonly string[]> = {};
      await using server = app({
        name: 'watcher',
        rejoiningGroups({ hub: { name }, claimed }, next) {
          claims[name] = claimed;
          return next();
        },
      });
      const client = server.classic(['one', 'two']);
      const socket = await client.start();
      await join(socket, 'one', 'a', 'b');
      await join(socket, 'two', 'b', 'c');
      await socket.drop();
      await client.reconnect();
      expect(claims).to.deep.equal({ one: ['a', 'b'], two: ['b', 'c'] });
    });
  });
});
