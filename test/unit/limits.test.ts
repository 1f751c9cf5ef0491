import {
  type HubPipelineModule,
  hub,
  Hub,
  hubMethod,
  HublineError,
  type HubServerOptions,
  type Resume,
} from '@hubline/core';
import { defaults, resolveLimits, type Limits } from '@hubline/core/internal/options.js';
import { failure, settle } from '@hubline/core/testing';
import { expect } from 'chai';
import { eventRecorder, rawApp, Refused, type RawApp, type RawSocket } from '../support/raw-client.js';

interface ChatClient {
  said(text: string): void;
}

let release: (() => void)[] = [];
let running = 0;

@hub('chat')
class ChatHub extends Hub<ChatClient> {
  @hubMethod() echo(value: unknown) {
    return value;
  }
  @hubMethod() join(group: string) {
    return this.groups.add(group);
  }
  @hubMethod() wait() {
    running++;
    return new Promise<void>((resolve) => release.push(resolve)).then(() => {
      running--;
    });
  }
}

const never = () => new Promise<never>(() => undefined);

function app(options: Omit<Partial<HubServerOptions>, 'clock'>, ...modules: HubPipelineModule[]): RawApp {
  return rawApp({ hubs: [ChatHub], modules, ...options });
}

async function refusal(promise: Promise<unknown>): Promise<Refused> {
  const error = await failure(promise);
  expect(error).to.be.instanceOf(Refused);
  return error as Refused;
}

/** A call of a classic client that is answered. */
async function call(socket: RawSocket, method: string, ...args: readonly unknown[]): Promise<Record<string, unknown>> {
  const id = String(socket.frames.count + 1_000);
  socket.send({ H: 'chat', M: method, A: args, I: id });
  return socket.answer(id);
}

/** An ASP.NET Core client that has shaken hands. */
async function coreClient(server: RawApp): Promise<RawSocket> {
  const socket = await server.socket('/chat');
  socket.send('{"protocol":"json","version":1}\u001e');
  await settle();
  return socket;
}

const messagesOf = (socket: RawSocket): readonly Record<string, unknown>[] =>
  socket.frames.items.flatMap((frame) =>
    frame
      .split('\u001e')
      .filter((text) => text !== '')
      .map((text) => JSON.parse(text) as Record<string, unknown>),
  );

/** One for each limit: it is reached, and what then happens can be seen. */
const reached: { readonly [Name in keyof Limits]: readonly [what: string, run: () => Promise<void>] } = {
  disconnectTimeoutMs: [
    'a lost connection is given up after it',
    async () => {
      const recorder = eventRecorder();
      await using server = app({ disconnectTimeoutMs: 9_000 }, recorder);
      await (await server.classic(['chat']).start()).drop();
      await server.clock.advance(8_000);
      expect(server.server.connectionCount).to.equal(1);
      await server.clock.advance(3_000);
      expect(recorder.events).to.deep.equal(['connect', 'disconnect timeout']);
    },
  ],
  keepAliveMs: [
    'an idle classic client is sent a keep-alive as often',
    async () => {
      await using server = app({ keepAliveMs: 4_000 });
      const socket = await server.classic(['chat']).start();
      const before = socket.frames.count;
      await server.clock.advance(11_000);
      expect(socket.frames.items.slice(before)).to.deep.equal(['{}', '{}']);
    },
  ],
  transportConnectTimeoutMs: [
    'classic clients are told it',
    async () => {
      await using server = app({ transportConnectTimeoutMs: 7_500 });
      const { body } = await server.classic(['chat']).get('negotiate');
      expect(JSON.parse(body)).to.have.property('TransportConnectTimeout', 7.5);
    },
  ],
  pingMs: [
    'an idle ASP.NET Core client is sent a ping as often',
    async () => {
      await using server = app({ pingMs: 3_000 });
      const socket = await coreClient(server);
      await server.clock.advance(8_000);
      expect(messagesOf(socket).filter(({ type }) => type === 6)).to.have.length(2);
    },
  ],
  clientTimeoutMs: [
    'an ASP.NET Core client that has pinged once and is silent is closed after it',
    async () => {
      await using server = app({ clientTimeoutMs: 6_000 });
      const socket = await coreClient(server);
      socket.send('{"type":6}\u001e');
      await settle();
      await server.clock.advance(5_000);
      expect(server.server.connectionCount).to.equal(1);
      await server.clock.advance(4_000);
      expect(server.server.connectionCount).to.equal(0);
      expect(messagesOf(socket).at(-1)).to.include({ type: 7, allowReconnect: true });
    },
  ],
  handshakeTimeoutMs: [
    'an ASP.NET Core client without a handshake is closed after it',
    async () => {
      await using server = app({ handshakeTimeoutMs: 4_000 });
      const socket = await server.socket('/chat');
      await server.clock.advance(6_000);
      expect(messagesOf(socket)).to.deep.equal([{ error: 'Handshake was canceled.' }]);
      await socket.closed();
    },
  ],
  negotiationTimeoutMs: [
    'a negotiated ASP.NET Core connection without a transport is a 404 after it',
    async () => {
      await using server = app({ negotiationTimeoutMs: 4_000 });
      const negotiate = async () => {
        const { body } = await server.request('POST', '/chat/negotiate?negotiateVersion=1');
        return (JSON.parse(body) as { connectionToken: string }).connectionToken;
      };
      const late = await negotiate();
      await server.clock.advance(6_000);
      expect(await refusal(server.socket(`/chat?id=${late}`))).to.have.property('status', 404);
      await server.socket(`/chat?id=${await negotiate()}`);
    },
  ],
  maxNegotiationsWaiting: [
    'one more ASP.NET Core negotiation is a 503, until the others have gone',
    async () => {
      await using server = app({ maxNegotiationsWaiting: 2 });
      const statuses = async (count: number) => {
        const found: number[] = [];
        for (let asked = 0; asked < count; asked++)
          found.push((await server.request('POST', '/chat/negotiate?negotiateVersion=1')).status);
        return found;
      };
      expect(await statuses(3)).to.deep.equal([200, 200, 503]);
      await server.clock.advance(17_000);
      expect(await statuses(1)).to.deep.equal([200]);
    },
  ],
  maxConnections: [
    'one more connection of either family is refused, those that are away counted',
    async () => {
      await using server = app({ maxConnections: 2 });
      const away = server.classic(['chat']);
      await (await away.start()).drop();
      const core = await coreClient(server);
      const third = await server.classic(['chat']).negotiate();
      expect(await refusal(third.connect())).to.have.property('status', 503);
      expect(await refusal(third.reconnect())).to.have.property('status', 503);
      const refused = await coreClient(server);
      expect(messagesOf(refused)).to.deep.equal([{ error: 'The server has as many connections as it may.' }]);
      expect(server.loggedCodes).to.include('HUB_TOO_MANY_CONNECTIONS');
      expect(server.log.items.filter(({ level }) => level === 'error')).to.have.length(0);
      core.webSocket.close();
      await core.closed();
      await settle();
      await third.connect();
      await away.reconnect();
    },
  ],
  maxClassicMessageBytes: [
    'a larger frame of a classic client closes its socket with 1009',
    async () => {
      await using server = app({ maxClassicMessageBytes: 1_000 });
      const socket = await server.classic(['chat']).start();
      expect(await call(socket, 'echo', 'x'.repeat(900))).to.have.property('R');
      socket.send({ H: 'chat', M: 'echo', A: ['x'.repeat(1_000)], I: 1 });
      expect(await socket.closed()).to.deep.equal({ code: 1009 });
    },
  ],
  maxCoreMessageBytes: [
    'a larger message of an ASP.NET Core client is the end of its connection',
    async () => {
      const recorder = eventRecorder();
      await using server = app({ maxCoreMessageBytes: 1_000 }, recorder);
      const socket = await coreClient(server);
      socket.send(`{"type":1,"target":"echo","arguments":["${'x'.repeat(1_000)}"],"invocationId":"1"}\u001e`);
      await socket.closed();
      expect(messagesOf(socket).at(-1)).to.deep.equal({
        type: 7,
        error: 'Connection closed with an error.',
        allowReconnect: true,
      });
      expect(server.loggedCodes).to.include('HUB_MESSAGE_TOO_LARGE');
      expect(recorder.events).to.deep.equal(['connect', 'disconnect error']);
    },
  ],
  maxStateLength: [
    'a classic call with a larger state is not read',
    async () => {
      await using server = app({ maxStateLength: 100 });
      const socket = await server.classic(['chat']).start();
      socket.send({ H: 'chat', M: 'echo', A: [1], I: 1, S: { a: 'x'.repeat(100) } });
      await call(socket, 'echo', 1);
      expect(server.loggedCodes).to.deep.equal(['HUB_MESSAGE_INVALID']);
    },
  ],
  maxJsonDepth: [
    'what is nested deeper is not read',
    async () => {
      await using server = app({ maxJsonDepth: 8 });
      const socket = await server.classic(['chat']).start();
      const nested = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown;
      expect(await call(socket, 'echo', nested(6))).to.have.property('R');
      socket.send({ H: 'chat', M: 'echo', A: [nested(20)], I: 1 });
      await call(socket, 'echo', 1);
      expect(server.loggedCodes).to.deep.equal(['HUB_MESSAGE_TOO_DEEP']);
    },
  ],
  maxCallsInFlight: [
    'the socket is not read while as many calls run or wait',
    async () => {
      await using server = app({ maxCallsInFlight: 3 });
      const socket = await server.classic(['chat']).start();
      for (let id = 0; id < 3; id++) socket.send({ H: 'chat', M: 'wait', I: id });
      await settle();
      socket.send({ H: 'chat', M: 'wait', I: 3 });
      await settle();
      expect(running).to.equal(3);
      for (const go of release.splice(0)) go();
      await settle();
      expect(running).to.equal(1);
    },
  ],
  maxParallelCalls: [
    'no more calls of an ASP.NET Core connection run beside each other',
    async () => {
      await using server = app({ maxParallelCalls: 2 });
      const socket = await coreClient(server);
      for (let id = 0; id < 5; id++) socket.send('{"type":1,"target":"wait","arguments":[]}\u001e');
      for (let left = 5; left > 0; left--) {
        await settle();
        expect(running).to.equal(Math.min(2, left));
        release.shift()?.();
      }
    },
  ],
  maxHubsPerConnection: [
    'connectionData with more hubs is a 400',
    async () => {
      await using server = app({ maxHubsPerConnection: 1 });
      const { status } = await server.classic(['chat', 'ops']).get('negotiate');
      expect(status).to.equal(400);
      await server.classic(['chat']).start();
    },
  ],
  maxGroupsPerConnection: [
    'joining one more rejects with HUB_TOO_MANY_GROUPS, until there is room',
    async () => {
      await using server = app({ maxGroupsPerConnection: 2, detailedErrors: true });
      const client = server.classic(['chat']);
      const socket = await client.start();
      for (const group of ['a', 'b', 'a']) expect(await call(socket, 'join', group)).to.include({ R: 'joined' });
      expect(await call(socket, 'join', 'c'))
        .to.have.property('E')
        .that.includes('in 2 groups already');
      expect(server.loggedCodes).to.deep.equal(['HUB_TOO_MANY_GROUPS']);
      await server.server.hub(ChatHub).groups.remove('a', { connectionId: client.id });
      expect(await call(socket, 'join', 'c')).to.include({ R: 'joined' });
    },
  ],
  maxGroupNameLength: [
    'a longer name of a group rejects with HUB_GROUP_NAME_INVALID',
    async () => {
      await using server = app({ maxGroupNameLength: 10 });
      const client = server.classic(['chat']);
      await client.start();
      const { groups } = server.server.hub(ChatHub);
      const member = { connectionId: client.id };
      expect(await groups.add('x'.repeat(10), member)).to.equal('joined');
      for (const change of ['add', 'remove'] as const)
        expect(await failure(groups[change]('x'.repeat(11), member))).to.have.property(
          'code',
          'HUB_GROUP_NAME_INVALID',
        );
      expect(() => server.server.groups.revoke({ hub: 'chat', group: 'x'.repeat(11), ...member }))
        .to.throw(HublineError)
        .with.property('code', 'HUB_GROUP_NAME_INVALID');
    },
  ],
  maxGroupsTokenBytes: [
    'a token that would be longer names no groups, and that is logged once',
    async () => {
      const resumes: Resume[] = [];
      const watcher: HubPipelineModule = {
        name: 'watcher',
        reconnect({ resume }, next) {
          resumes.push(resume);
          return next();
        },
      };
      await using server = app({ maxGroupsTokenBytes: 400 }, watcher);
      const client = server.classic(['chat']);
      const socket = await client.start();
      for (let group = 0; group < 20; group++) await call(socket, 'join', `a group with a long name ${group}`);
      await settle();
      expect(client.groupsToken?.length).to.be.lessThan(400);
      expect(server.loggedCodes).to.deep.equal(['HUB_GROUPS_TOKEN_TOO_LARGE']);
      await socket.drop();
      // Who remembers the connection knows its groups.
      await (await client.reconnect()).drop();
      expect(resumes.at(-1)?.groups).to.have.length(20);
      await server.clock.advance(32_000);
      await client.reconnect();
      expect(resumes.at(-1)).to.deep.include({ groups: [], complete: false, newLife: true });
    },
  ],
  groupsTokenLifetimeMs: [
    'a groups token is issued again at half of it, and not believed after it',
    async () => {
      await using server = app({ groupsTokenLifetimeMs: 60_000 });
      const client = server.classic(['chat']);
      const socket = await client.start();
      await call(socket, 'join', 'room');
      await settle();
      const first = client.groupsToken;
      await server.clock.advance(28_000);
      expect(client.groupsToken).to.equal(first);
      await server.clock.advance(5_000);
      expect(client.groupsToken).not.to.equal(first);
      await socket.drop();
      await server.clock.advance(61_000);
      const again = await client.reconnect();
      await server.server.hub(ChatHub).clients.group('room').said('hello');
      await settle();
      expect(again.received).to.deep.equal([]);
    },
  ],
  logAgeMs: [
    'what is older is not replayed, and the resume is not complete',
    () => expectLost({ logAgeMs: 10_000 }, (server) => server.clock.advance(16_000)),
  ],
  logBytes: [
    'what does not fit is not replayed, and the resume is not complete',
    () =>
      expectLost({ logBytes: 1_000 }, async (server) => {
        for (let message = 0; message < 20; message++)
          await server.server.hub(ChatHub).clients.group('elsewhere').said('x'.repeat(100));
      }),
  ],
  authorizeDeadlineMs: [
    'authorizeConnect that takes longer is a 503',
    async () => {
      await using server = app({ authorizeDeadlineMs: 2_000 }, { name: 'slow', authorizeConnect: never });
      const asked = server.classic(['chat']).get('negotiate');
      await server.clock.advance(1_900);
      expect(await Promise.race([asked, settle().then(() => 'waiting')])).to.equal('waiting');
      await server.clock.advance(200);
      expect(await asked).to.have.property('status', 503);
      expect(server.loggedCodes).to.include.members(['HUB_EVENT_FAILED', 'HUB_STAGE_DEADLINE']);
    },
  ],
  rejoinDeadlineMs: [
    'rejoiningGroups or reconnect that takes longer is a 503, and the connection waits on',
    async () => {
      for (const stage of ['rejoiningGroups', 'reconnect'] as const) {
        await using server = app({ rejoinDeadlineMs: 2_000 }, { name: 'slow', [stage]: never });
        const client = server.classic(['chat']);
        await (await client.start()).drop();
        const asked = refusal(client.reconnect());
        await server.clock.advance(1_900);
        expect(await Promise.race([asked, settle().then(() => 'waiting')])).to.equal('waiting');
        await server.clock.advance(200);
        expect(await asked).to.have.property('status', 503);
        expect(server.loggedCodes).to.include.members(['HUB_EVENT_FAILED', 'HUB_STAGE_DEADLINE']);
        expect(server.server.connectionCount).to.equal(1);
        await server.clock.advance(32_000);
        expect(server.server.connectionCount).to.equal(0);
      }
    },
  ],
};

/** A client that was in a group and is away misses a message, and the log loses it. */
async function expectLost(options: Partial<Limits>, lose: (server: RawApp) => Promise<void>): Promise<void> {
  const resumes: Resume[] = [];
  const watcher: HubPipelineModule = {
    name: 'watcher',
    reconnect({ resume }, next) {
      resumes.push(resume);
      return next();
    },
  };
  await using server = app(options, watcher);
  const other = server.classic(['chat']);
  await call(await other.start(), 'join', 'elsewhere');
  const client = server.classic(['chat']);
  const socket = await client.start();
  await call(socket, 'join', 'room');
  await server.server.hub(ChatHub).clients.group('room').said('before');
  await settle();
  await socket.drop();
  await server.server.hub(ChatHub).clients.group('room').said('missed');
  await lose(server);
  const again = await client.reconnect();
  await settle();
  expect(resumes.map(({ complete }) => complete)).to.deep.equal([false]);
  expect(again.received).to.deep.equal([]);
}

describe('the limit', () => {
  beforeEach(() => {
    release = [];
    running = 0;
  });

  for (const [name, [what, run]] of Object.entries(reached)) it(`${name}: ${what}`, run);

  it('has a test above, whichever it is', () => {
    expect(Object.keys(reached)).to.have.members(Object.keys(defaults));
  });

  it('that is not there is refused', () => {
    for (const option of ['maxConnection', 'toString', 'constructor', '__proto__'])
      expect(() => resolveLimits(Object.fromEntries([[option, 1]])))
        .to.throw(HublineError)
        .with.property('code', 'HUB_OPTION_UNKNOWN');
  });

  for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5' as never, null as never])
    it(`is refused as ${String(value)}${typeof value === 'string' ? ', a text' : ''}`, () => {
      expect(() => resolveLimits({ maxConnections: value }))
        .to.throw(HublineError)
        .with.property('code', 'HUB_OPTION_INVALID');
    });

  it('has its default where it is undefined', () => {
    expect(resolveLimits({ maxConnections: undefined, logBytes: 5 })).to.deep.equal({ ...defaults, logBytes: 5 });
  });
});
