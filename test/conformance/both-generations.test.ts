import { createUser, hub, Hub, HubException, hubMethod, type HubPipelineModule, type StageName } from '@hubline/core';
import { expect } from 'chai';
import type { Browser } from 'playwright-core';
import { WebSocket } from 'ws';
import { useChromium } from '../support/chromium.js';
import { ClassicClient, inChromium, inJsdom, type MakeHost } from '../support/classic-client.js';
import { atTestEnd } from '../support/cleanup.js';
import { CoreClient, inChromiumPages, inNode, type MakeCoreHost } from '../support/core-client.js';
import { request } from '../support/raw-http.js';
import { Recorder } from '../support/recorder.js';
import { startSite, type Site } from '../support/site.js';
import { WireClient } from '../support/wire-client.js';

interface TalkClient {
  message(from: string, text: string): void;
}

/** Everybody is in one room. */
@hub('talk')
class TalkHub extends Hub<TalkClient> {
  override async onConnected() {
    await this.groups.add('room');
  }

  @hubMethod() async say(text: string) {
    await this.clients.group('room').message(this.user.name, text);
    return text.length;
  }

  @hubMethod() refuse(why: string) {
    throw new HubException(why);
  }
}

/** Something that a module was shown. */
interface Seen {
  readonly stage: StageName;
  readonly connectionId: string;
  readonly protocol: string;
  readonly transport: string | undefined;
  readonly state: string;
  readonly details: unknown;
}

/** A module that writes down what it is shown. */
class Witness implements HubPipelineModule {
  readonly name = 'witness';
  readonly seen = new Recorder<Seen>('what the module saw');

  readonly connect: HubPipelineModule['connect'] = async (context, next) => {
    await next();
    this.note('connect', context, { hub: context.hub.name, user: context.user.isAuthenticated });
  };

  readonly invoke: HubPipelineModule['invoke'] = async (context, next) => {
    const { methodName, method, arguments: args } = context;
    this.note('invoke', context, { methodName, declared: method?.name, args });
    try {
      const result = await next();
      this.note('invoke', context, { result });
      return result;
    } catch (error) {
      this.note('invoke', context, { error: (error as Error).message });
      throw error;
    }
  };

  readonly send: HubPipelineModule['send'] = (context, next) => {
    const { call, target, method, arguments: args } = context;
    if (call !== undefined) this.note('send', call, { target, method, args: args.slice(1) });
    return next();
  };

  readonly disconnect: HubPipelineModule['disconnect'] = (context, next) => {
    this.note('disconnect', context, { reason: context.reason });
    return next();
  };

  /** What it saw of one connection, without what tells connections apart. */
  of(connectionId: string): Omit<Seen, 'connectionId' | 'protocol'>[] {
    return this.seen
      .filter((one) => one.connectionId === connectionId)
      .map(({ stage, transport, state, details }) => ({ stage, transport, state, details }));
  }

  protocolsOf(connectionId: string): Set<string> {
    return new Set(this.seen.filter((one) => one.connectionId === connectionId).map(({ protocol }) => protocol));
  }

  private note(
    stage: StageName,
    { connection }: Parameters<NonNullable<HubPipelineModule['connect']>>[0],
    details: unknown,
  ) {
    const { id: connectionId, protocol, transport, state } = connection;
    this.seen.add({ stage, connectionId, protocol, transport, state, details });
  }
}

describe('both client generations', () => {
  describe('in Node', () => {
    together(() => ({ classic: inJsdom, core: inNode }));
  });

  describe('in Chromium', function () {
    this.timeout(30_000);
    const browser: () => Browser = useChromium();
    const core = inChromiumPages(browser);
    together(() => ({ classic: inChromium(browser()), core }));
  });

  it('are sent the same message in bytes of their own', async () => {
    const site = await serve(new Witness());
    const core = await WireClient.connect(site.port, '/talk');
    const classic = await classicFrames(site);
    await core.invoke('say', ['hello']);
    const written = await classic.find((frame) => frame.includes('hello'), 'the message for the classic client');
    expect(core.messages.items).to.include('{"type":1,"target":"message","arguments":["nobody","hello"]}');
    const envelope = JSON.parse(written) as { readonly C: string; readonly M: readonly object[] };
    expect(envelope.M).to.deep.equal([{ H: 'talk', M: 'message', A: ['nobody', 'hello'] }]);
    expect(envelope.C).to.be.a('string');
  });
});

function together(hosts: () => { readonly classic: MakeHost; readonly core: MakeCoreHost }): void {
  /** One client of each generation in the room, and what a module sees of them. */
  async function meet() {
    const witness = new Witness();
    const site = await serve(witness);
    const { classic: classicHost, core: coreHost } = hosts();
    const hubs = { talk: ['message'] };
    const classic = await ClassicClient.open(classicHost, site.url, { hubs, query: { name: 'cleo' } });
    const core = await CoreClient.open(coreHost, site, { path: '/talk?name=mona', methods: ['message'] });
    await classic.start();
    await core.start();
    await witness.seen.find(({ stage, protocol }) => stage === 'connect' && protocol === 'json', 'both have connected');
    return { witness, site, classic, core };
  }

  it('are in one group of one hub, and each hears what the other says, in one order', async () => {
    const { site, classic, core } = await meet();
    expect(await classic.invoke('talk', 'say', 'hello from the classic one')).to.equal(26);
    expect(await core.invoke('say', 'hello from the modern one')).to.equal(25);
    await site.server.hub(TalkHub).clients.group('room').message('server', 'hello from outside');
    const expected = [
      ['cleo', 'hello from the classic one'],
      ['mona', 'hello from the modern one'],
      ['server', 'hello from outside'],
    ];
    expect(await classic.received('message', 3)).to.deep.equal(expected);
    expect(await core.received('message', 3)).to.deep.equal(expected);
  });

  it('look the same to a module, but for the protocol', async () => {
    const { witness, classic, core } = await meet();
    await classic.invoke('talk', 'say', 'hello');
    await core.invoke('say', 'hello');
    await classic.outcome('talk', 'refuse', 'Not today.');
    await core.invokeFails('refuse', 'Not today.');
    await classic.outcome('talk', 'noSuchMethod', 1);
    await core.invokeFails('noSuchMethod', 1);
    const [classicId, coreId] = [classic.id, core.id];
    await classic.stop();
    await core.stop();
    await witness.seen.find(({ stage }) => stage === 'disconnect', 'both have gone', { nth: 2 });
    expect(witness.of(classicId)).to.deep.equal(witness.of(coreId));
    expect(witness.of(coreId).map(({ stage }) => stage)).to.deep.equal([
      'connect',
      'invoke',
      'send',
      'invoke',
      'invoke',
      'invoke',
      'invoke',
      'invoke',
      'disconnect',
    ]);
    expect([...witness.protocolsOf(classicId)]).to.deep.equal(['aspnet']);
    expect([...witness.protocolsOf(coreId)]).to.deep.equal(['json']);
  });
}

/** Who says a name in the query is called so. */
function serve(witness: Witness): Promise<Site> {
  return startSite({
    hubs: [TalkHub],
    modules: [witness],
    authenticate: ({ query }) => createUser({ id: query.get('name') ?? 'nobody' }),
  });
}

/** The frames of a classic connection that is opened by hand. */
async function classicFrames({ port }: Site): Promise<Recorder<string>> {
  const common = `clientProtocol=2.1&connectionData=${encodeURIComponent('[{"name":"talk"}]')}`;
  const { body } = await request(port, `/signalr/negotiate?${common}`);
  const { ConnectionToken } = JSON.parse(body) as { readonly ConnectionToken: string };
  const query = `${common}&transport=webSockets&connectionToken=${encodeURIComponent(ConnectionToken)}`;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/signalr/connect?${query}`);
  atTestEnd(() => socket.terminate());
  const frames = new Recorder<string>('the frames of the classic client');
  socket.on('error', () => undefined);
  socket.on('message', (data: Buffer) => frames.add(data.toString()));
  await frames.find((frame) => frame.includes('"S":1'), 'the init message');
  await request(port, `/signalr/start?${query}`);
  return frames;
}
