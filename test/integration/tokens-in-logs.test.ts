import { inspect } from 'node:util';
import { hub, Hub, HubException, hubMethod, type HubPipelineModule } from '@hubline/core';
import { settle } from '@hubline/core/testing';
import { expect } from 'chai';
import { rawApp, userOfHeaders, type RawApp, type RawSocket } from '../support/raw-client.js';

interface ChatClient {
  say(value: unknown): void;
}

@hub('chat')
class ChatHub extends Hub<ChatClient> {
  override onReconnected(): void {
    this.context.logger.info({ user: this.user, request: this.context.request.path }, 'back');
  }
  @hubMethod() join(group: string) {
    return this.groups.add(group);
  }
  @hubMethod() boom() {
    throw new Error('a handler failed', { cause: new Error('for a reason') });
  }
  @hubMethod() refuse() {
    throw new HubException('not now', { why: 'because' });
  }
  @hubMethod() sendBadly() {
    void this.clients.caller.say(2n ** 70n);
  }
}

/** Passes every stage by and logs what it may know. */
const talkative: HubPipelineModule = {
  name: 'talkative',
  authorizeConnect({ logger, hub: { name }, user, request }, next) {
    logger.trace({ hub: name, user, path: request.path, query: String(request.query) }, 'authorizeConnect');
    return next();
  },
  invoke({ logger, methodName, arguments: args, connectionId }, next) {
    logger.trace({ methodName, args, connectionId }, 'invoke');
    return next();
  },
};

const accessToken = 'access-token-of-ann-0123456789';
const headers = {
  'x-user': 'ann',
  authorization: `Bearer bearer-of-ann-0123456789`,
  cookie: 'session=cookie-of-ann-0123456789',
};

function talkativeApp(): RawApp {
  return rawApp({
    hubs: [ChatHub],
    modules: [talkative],
    detailedErrors: true,
    authenticate(request) {
      if (request.query.has('fail')) throw new Error('who is this?');
      return userOfHeaders(request);
    },
  });
}

/** Everything that was logged, as deeply as it goes, causes and what is hidden included. */
function everythingLogged(app: RawApp): string {
  const whole = { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity, showHidden: true };
  return app.log.items.map((line) => inspect(line, whole)).join('\n');
}

function expectNoSecrets(app: RawApp, secrets: readonly (string | undefined)[]): void {
  const logged = everythingLogged(app);
  const parts = ['access-token-of', 'bearer-of', 'cookie-of', ...secrets];
  for (const secret of parts) {
    expect(secret).to.be.a('string').with.length.greaterThan(8);
    expect(logged).not.to.include(secret);
    expect(logged).not.to.include(encodeURIComponent(secret as string));
  }
}

const refused = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'not refused',
    (error: Error) => error.message,
  );

describe('the most talkative log', () => {
  it('has no token, Authorization or cookie of a classic session that ends badly', async () => {
    await using app = talkativeApp();
    const members = { access_token: accessToken, room: 'of the application' };
    const client = app.classic(['chat'], headers);
    const socket = await client.start(members);
    for (const [id, [method, ...args]] of [['join', 'a'], ['boom'], ['refuse'], ['sendBadly'], ['nothing']].entries()) {
      socket.send({ H: 'chat', M: method, A: args, I: id });
      await socket.answer(String(id));
    }
    socket.send('this is no call');
    await settle();
    const groupsTokens = [client.groupsToken];
    await socket.drop();
    await (await client.reconnect(members)).drop();
    expect(await refused(client.reconnect({ ...members, connectionToken: client.token.slice(1) }))).to.match(/^400/);
    const thief = app.classic(['chat'], { ...headers, 'x-user': 'bob' });
    expect(await refused(thief.reconnect({ ...members, connectionToken: client.token }))).to.match(/^403/);
    expect(await client.get('start', { ...members, fail: '1' })).to.have.property('status', 500);
    expect(await refused(client.reconnect({ ...members, connectionData: '[7]' }))).to.match(/^500/);
    await app.clock.advance(32_000);
    const badGroups = `${client.groupsToken?.slice(0, -3)}AAA`;
    const again = await client.reconnect({ ...members, groupsToken: badGroups });
    again.send({ H: 'chat', M: 'join', A: ['b'], I: 0 });
    await again.answer('0');
    await settle();
    groupsTokens.push(client.groupsToken, badGroups);
    await client.abort();

    const messages = new Set(app.log.items.map(({ message }) => message));
    expect(messages).to.include.keys(
      'invoke',
      'authorizeConnect',
      'A call failed.',
      'A call was refused.',
      'A request was refused.',
      'A request failed.',
      'A send failed that nobody waited for.',
      'A frame of a classic client could not be read.',
      'back',
    );
    expect(everythingLogged(app)).to.include('for a reason').and.to.include('room=of+the+application');
    expectNoSecrets(app, [client.token, ...groupsTokens]);
  });

  it('has no token, Authorization or cookie of an ASP.NET Core session that ends badly', async () => {
    await using app = talkativeApp();
    const query = `access_token=${accessToken}&room=of+the+application`;
    const negotiate = async (given = headers) => {
      const { body } = await app.request('POST', `/chat/negotiate?negotiateVersion=1&${query}`, given);
      return (JSON.parse(body) as { connectionToken: string }).connectionToken;
    };
    const token = await negotiate();
    const other = await negotiate();
    const socket = await app.socket(`/chat?id=${token}&${query}`, headers);
    const send = async (to: RawSocket, message: object) => {
      to.send(`${JSON.stringify(message)}\u001e`);
      await settle();
    };
    await send(socket, { protocol: 'json', version: 1 });
    for (const [id, target] of ['join', 'boom', 'refuse', 'sendBadly', 'nothing'].entries())
      await send(socket, { type: 1, target, arguments: target === 'join' ? ['a'] : [], invocationId: String(id) });
    await send(socket, { type: 'bad' });
    await socket.closed();
    expect(await refused(app.socket(`/chat?id=${token}&${query}`, headers))).to.match(/^404/);
    expect(await refused(app.socket(`/chat?id=${other}&${query}`, { ...headers, 'x-user': 'bob' }))).to.match(/^403/);
    expect(await refused(app.socket(`/chat?id=${other}&${query}&fail=1`, headers))).to.match(/^500/);
    const late = await app.socket(`/chat?id=${other}&${query}`, headers);
    await send(late, { protocol: 'morse', version: 1 });
    await late.closed();

    const messages = new Set(app.log.items.map(({ message }) => message));
    expect(messages).to.include.keys('invoke', 'A call failed.', 'A request was refused.', 'A request failed.');
    expectNoSecrets(app, [token, other]);
  });

  it('has no token that a client puts where it does not belong', async () => {
    await using app = talkativeApp();
    const client = app.classic(['chat'], headers);
    const socket = await client.start();
    // What cannot be read is not repeated.
    socket.send(`connectionToken=${client.token}`);
    socket.send(JSON.stringify([client.token]));
    socket.send({ H: 7, M: client.token });
    await settle();
    for (const connectionData of [client.token, JSON.stringify([{ name: client.token }])])
      await refused(client.reconnect({ connectionData }));
    await refused(client.reconnect({ transport: client.token, messageId: client.token }));
    await refused(client.reconnect({ clientProtocol: client.token, tid: client.token, _: client.token }));
    await settle();
    expect(app.log.count).to.be.greaterThan(3);
    expectNoSecrets(app, [client.token]);
  });
});
