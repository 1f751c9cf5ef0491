import { hub, Hub, HubException, hubMethod } from '@hubline/core';
import { expect } from 'chai';
import { CoreClient, type CoreSettings, type MakeCoreHost } from '../../support/core-client.js';
import { eventually } from '../../support/eventually.js';
import { Journal } from '../../support/journal.js';
import type { TestServerOptions } from '../../support/servers.js';
import { attachHubs, startSite, type Site } from '../../support/site.js';
import { authenticator, clientMethods, OpsHub, RoomsHub, SlowHub, type Target } from './hubs.js';

/** Where a case runs: it starts its site, and opens clients of one kind. */
export class Stage {
  readonly journal = new Journal();

  constructor(
    private readonly makeHost: MakeCoreHost,
    /** Whether the clients are a browser's: it cannot set headers on a WebSocket. */
    readonly isBrowser: boolean,
  ) {}

  serve(options: Partial<TestServerOptions> = {}): Promise<Site> {
    return startSite({ hubs: [RoomsHub, SlowHub, OpsHub], modules: [this.journal], ...options });
  }

  open(site: Site, settings: Partial<CoreSettings> = {}): Promise<CoreClient> {
    return CoreClient.open(this.makeHost, site, { path: '/rooms', methods: clientMethods, ...settings });
  }

  async connect(site: Site, settings: Partial<CoreSettings> = {}): Promise<CoreClient> {
    const client = await this.open(site, settings);
    return client.start();
  }

  /** All disconnects, when none can follow any more. */
  async disconnects(site: Site): Promise<string[]> {
    await site.server.stop({ graceMs: 0 });
    return this.journal.of('disconnect').map(({ reason }) => reason);
  }
}

/** A test that holds for every official client. */
export interface Case {
  readonly name: string;
  run(stage: Stage): Promise<void>;
}

const connecting: readonly Case[] = [
  {
    name: 'a client negotiates, connects, and knows the id that the hub knows',
    async run(stage) {
      const client = await stage.connect(await stage.serve());
      expect(await client.invoke('whoAmI')).to.deep.equal({ connectionId: client.id, user: '' });
      expect(stage.journal.of('connect').map(({ id }) => id)).to.deep.equal([client.id]);
    },
  },
  {
    name: 'a client that skips the negotiation connects, and knows no id',
    async run(stage) {
      const site = await stage.serve();
      const client = await stage.open(site, { skipNegotiation: true });
      await client.start();
      expect(await client.invoke('add', 40, 2)).to.equal(42);
      expect(() => client.id).to.throw();
    },
  },
  {
    name: 'the query of the hub URL reaches the hub, without what belongs to the protocol',
    async run(stage) {
      const { seen, authenticate } = authenticator();
      const client = await stage.connect(await stage.serve({ authenticate }), {
        path: '/rooms?room=lobby&x=1',
        accessToken: 'ann',
      });
      await client.received('welcome');
      expect(seen.items.map(({ query }) => query)).to.deep.equal(['room=lobby&x=1', 'room=lobby&x=1']);
    },
  },
  {
    name: 'messages sent in onConnected arrive, also those to a group that it joined',
    async run(stage) {
      @hub('early')
      class EarlyHub extends Hub<{ message(text: string): void }> {
        override async onConnected() {
          await this.clients.caller.message('to the caller');
          await this.groups.add('lobby');
          await this.clients.group('lobby').message('to the group');
        }
      }
      const client = await stage.connect(await stage.serve({ hubs: [EarlyHub] }), { path: '/early' });
      expect(await client.received('message', 2)).to.deep.equal([['to the caller'], ['to the group']]);
    },
  },
  {
    name: 'a call waits for onConnected',
    async run(stage) {
      const steps: string[] = [];
      let connected = (): void => undefined;
      const gate = new Promise<void>((resolve) => (connected = resolve));
      @hub('gated')
      class GatedHub extends Hub<{ message(text: string): void }> {
        override async onConnected() {
          await this.clients.caller.message('come in');
          await gate;
          steps.push('connected');
        }
        @hubMethod() step() {
          steps.push('called');
        }
      }
      const site = await stage.serve({ hubs: [GatedHub] });
      const client = await stage.connect(site, { path: '/gated' });
      await client.received('message');
      const readBefore = site.bytesRead();
      const call = client.invoke('step');
      // More than the ping that the client sends after its handshake.
      await eventually(() => site.bytesRead() > readBefore + 40, 'the server has read the call');
      connected();
      await call;
      expect(steps).to.deep.equal(['connected', 'called']);
    },
  },
  {
    name: 'an onConnected that throws closes the connection for good, and is owed no disconnect',
    async run(stage) {
      @hub('broken')
      class BrokenHub extends Hub {
        override onConnected() {
          throw new TypeError('The database is at 10.0.0.7.');
        }
      }
      const site = await stage.serve({ hubs: [BrokenHub] });
      const client = await stage.open(site, { path: '/broken', reconnectDelaysMs: [0] });
      expect(await client.endsEarly()).to.equal('Server returned an error on close: Connection closed with an error.');
      expect(client.events.filter(({ type }) => type === 'reconnecting')).to.deep.equal([]);
      expect(await stage.disconnects(site)).to.deep.equal([]);
    },
  },
  {
    name: 'an onConnected that throws a HubException tells the client its text',
    async run(stage) {
      @hub('full')
      class FullHub extends Hub {
        override onConnected() {
          throw new HubException('The house is full.');
        }
      }
      const client = await stage.open(await stage.serve({ hubs: [FullHub] }), { path: '/full' });
      expect(await client.endsEarly()).to.equal(
        'Server returned an error on close: Connection closed with an error. HubException: The house is full.',
      );
    },
  },
];

const value = { text: 'größer – 日本 😀', list: [1, [2, null]], nested: { camelCase: true, PascalCase: false } };

const calls: readonly Case[] = [
  {
    name: 'a call is answered with its result, as it was given',
    async run(stage) {
      const client = await stage.connect(await stage.serve());
      expect(await client.invoke('add', 40, 2)).to.equal(42);
      expect(await client.invoke('echo', value)).to.deep.equal(value);
      expect(await client.invoke('echo', 'with the separator: \u001e')).to.equal('with the separator: \u001e');
    },
  },
  {
    name: 'a method without a result is answered with null',
    async run(stage) {
      const client = await stage.connect(await stage.serve());
      expect(await client.invoke('nothing')).to.equal(null);
    },
  },
  {
    name: 'the case of a method does not count',
    async run(stage) {
      const client = await stage.connect(await stage.serve());
      expect(await client.invoke('ADD', 1, 2)).to.equal(3);
    },
  },
  {
    name: 'an error tells nothing of itself',
    async run(stage) {
      const client = await stage.connect(await stage.serve());
      expect(await client.invokeFails('fail')).to.equal("An unexpected error occurred invoking 'fail' on the server.");
    },
  },
  {
    name: 'a HubException tells its text',
    async run(stage) {
      const client = await stage.connect(await stage.serve());
      expect(await client.invokeFails('refuse', 'The room is full.')).to.equal(
        "An unexpected error occurred invoking 'refuse' on the server. HubException: The room is full.",
      );
    },
  },
  {
    name: 'an unknown method is an error, and the connection lives on',
    async run(stage) {
      const client = await stage.connect(await stage.serve());
      expect(await client.invokeFails('Bad')).to.equal(
        "Failed to invoke 'Bad' due to an error on the server. HubException: Method does not exist.",
      );
      expect(await client.invoke('add', 1, 2)).to.equal(3);
    },
  },
  {
    name: 'a wrong number of arguments is an error without details',
    async run(stage) {
      const client = await stage.connect(await stage.serve());
      expect(await client.invokeFails('add', 1)).to.equal("Failed to invoke 'add' due to an error on the server.");
    },
  },
  {
    name: 'detailedErrors tells the number of arguments, and the name and message of an error',
    async run(stage) {
      const client = await stage.connect(await stage.serve({ detailedErrors: true }));
      expect(await client.invokeFails('add', 1)).to.equal(
        "Failed to invoke 'add' due to an error on the server. InvalidDataException: " +
          'Invocation provides 1 argument(s) but target expects 2.',
      );
      expect(await client.invokeFails('fail')).to.equal(
        "An unexpected error occurred invoking 'fail' on the server. TypeError: The database is at 10.0.0.7.",
      );
    },
  },
  {
    name: 'a send is run and not answered, also when it fails',
    async run(stage) {
      const client = await stage.connect(await stage.serve());
      await client.send('fail');
      await client.send('noSuchMethod');
      await client.send('tell', 'caller', [], 'done');
      expect(await client.received('message')).to.deep.equal([['done']]);
      expect(await client.invoke('add', 1, 2)).to.equal(3);
      expect(client.events.filter(({ type }) => type === 'closed')).to.deep.equal([]);
    },
  },
  {
    name: 'what a call sends arrives in its order and before its result',
    async run(stage) {
      const client = await stage.connect(await stage.serve());
      await client.received('welcome');
      expect(await client.invoke('burst', 50)).to.equal('all sent');
      const messages = client.messages('message').map(([text]) => text);
      expect(messages).to.deep.equal(Array.from({ length: 50 }, (_, index) => `${index + 1} of 50`));
      const last = client.events.items.at(-1);
      expect(last).to.deep.equal({ type: 'answered', method: 'burst' });
    },
  },
  {
    name: 'the calls of a client run one after the other, in their order',
    async run(stage) {
      const client = await stage.connect(await stage.serve(), { path: '/slow' });
      await Promise.all(['first', 'second', 'third'].map((name) => client.invoke('work', name)));
      expect(await client.invoke('steps')).to.deep.equal(
        ['first', 'second', 'third'].flatMap((name) => [`${name} begins`, `${name} ends`]),
      );
    },
  },
  {
    name: 'with maxParallelCalls the calls of a client run beside each other',
    async run(stage) {
      let running = 0;
      let together = (): void => undefined;
      const three = new Promise<void>((resolve) => (together = resolve));
      @hub('meeting')
      class MeetingHub extends Hub {
        @hubMethod() async meet() {
          running++;
          if (running === 3) together();
          await three;
          return running;
        }
      }
      const site = await stage.serve({ hubs: [MeetingHub], maxParallelCalls: 3 });
      const client = await stage.connect(site, { path: '/meeting' });
      expect(await Promise.all([1, 2, 3].map(() => client.invoke('meet')))).to.deep.equal([3, 3, 3]);
    },
  },
];

/** Three clients: ann and another of ann's are in the lobby, bob is not. Who of them is told. */
const targets: readonly (readonly [target: Target, names: (ids: Ids) => readonly string[], told: readonly Name[]])[] = [
  ['all', () => [], ['ann', 'annToo', 'bob']],
  ['allExcept', ({ annToo }) => [annToo], ['ann', 'bob']],
  ['caller', () => [], ['ann']],
  ['others', () => [], ['annToo', 'bob']],
  ['client', ({ bob }) => [bob], ['bob']],
  ['clients', ({ ann, bob }) => [ann, bob], ['ann', 'bob']],
  ['group', () => ['lobby'], ['ann', 'annToo']],
  ['group', () => ['LOBBY'], []],
  ['groups', () => ['lobby', 'tower'], ['ann', 'annToo', 'bob']],
  ['groupExcept', ({ ann }) => ['lobby', ann], ['annToo']],
  ['othersInGroup', () => ['lobby'], ['annToo']],
  ['user', () => ['ann'], ['ann', 'annToo']],
  ['users', () => ['ann', 'bob'], ['ann', 'annToo', 'bob']],
  ['user', () => ['nobody'], []],
];

type Name = 'ann' | 'annToo' | 'bob';
type Ids = Readonly<Record<Name, string>>;

const sends: readonly Case[] = [
  {
    name: 'every target reaches whom it names, each of them once',
    async run(stage) {
      const site = await stage.serve({ authenticate: authenticator().authenticate });
      const clients = {
        ann: await stage.connect(site, { path: '/rooms?room=lobby', accessToken: 'ann' }),
        annToo: await stage.connect(site, { path: '/rooms?room=lobby&room=tower', accessToken: 'ann' }),
        bob: await stage.connect(site, { path: '/rooms?room=tower', accessToken: 'bob' }),
      };
      const names = Object.keys(clients) as Name[];
      for (const name of names) await clients[name].received('welcome');
      const ids = { ann: clients.ann.id, annToo: clients.annToo.id, bob: clients.bob.id };
      const expected: Record<Name, string[]> = { ann: [], annToo: [], bob: [] };
      for (const [index, [target, named, told]] of targets.entries()) {
        const text = `${index}: ${target}`;
        await clients.ann.invoke('tell', target, named(ids), text);
        for (const name of told) expected[name].push(text);
      }
      for (const name of names) {
        await clients[name].received('mark', targets.length);
        expect(clients[name].messages('message').flat(), name).to.deep.equal(expected[name]);
      }
    },
  },
  {
    name: 'who joins a group has its messages from then on, and who leaves it has no more',
    async run(stage) {
      const site = await stage.serve();
      const [ann, bob] = [await stage.connect(site), await stage.connect(site)];
      await ann.invoke('tell', 'group', ['lobby'], 'before');
      expect(await bob.invoke('join', 'lobby')).to.equal('joined');
      await ann.invoke('tell', 'group', ['lobby'], 'between');
      expect(await bob.invoke('leave', 'lobby')).to.equal('left');
      await ann.invoke('tell', 'group', ['lobby'], 'after');
      await bob.received('mark', 3);
      expect(bob.messages('message')).to.deep.equal([['between']]);
    },
  },
  {
    name: 'messages from outside of a call arrive',
    async run(stage) {
      const site = await stage.serve();
      const client = await stage.connect(site, { path: '/rooms?room=lobby' });
      await client.received('welcome');
      await site.server.hub(RoomsHub).clients.group('lobby').message('from outside');
      expect(await client.received('message')).to.deep.equal([['from outside']]);
    },
  },
];

const endings: readonly Case[] = [
  {
    name: 'stop() is exactly one disconnect, with the reason client',
    async run(stage) {
      const site = await stage.serve();
      const client = await stage.connect(site, { reconnectDelaysMs: [0] });
      await client.received('welcome');
      await client.stop();
      expect(await client.event('closed')).to.deep.equal({ type: 'closed', error: null });
      expect(await stage.journal.nth('disconnect')).to.include({ hub: 'rooms', id: client.id, reason: 'client' });
      expect(await stage.disconnects(site)).to.deep.equal(['client']);
    },
  },
  {
    name: 'a cut socket is exactly one disconnect, with the reason timeout',
    async run(stage) {
      const site = await stage.serve();
      const client = await stage.connect(site);
      await client.received('welcome');
      client.network.goDown();
      expect(await stage.journal.nth('disconnect')).to.include({ hub: 'rooms', id: client.id, reason: 'timeout' });
      await client.event('closed');
      expect(await stage.disconnects(site)).to.deep.equal(['timeout']);
    },
  },
  {
    name: 'a client that reconnects after a cut is a new connection, with a new id and the groups that onConnected joins',
    async run(stage) {
      const site = await stage.serve();
      const client = await stage.connect(site, { path: '/rooms?room=lobby', reconnectDelaysMs: [0, 50, 500, 2000] });
      await client.received('welcome');
      await client.invoke('join', 'tower');
      client.network.cut();
      await client.event('reconnecting');
      const { id } = await client.event('reconnected');
      expect(id).to.be.a('string').and.not.equal(client.id);
      expect(await client.received('welcome', 2)).to.deep.equal([[client.id], [id]]);
      const { clients } = site.server.hub(RoomsHub);
      await clients.group('tower').message('to the tower');
      await clients.group('lobby').message('to the lobby');
      expect(await client.received('message')).to.deep.equal([['to the lobby']]);
      expect(stage.journal.of('reconnect')).to.deep.equal([]);
      expect(await stage.journal.nth('disconnect')).to.include({ id: client.id, reason: 'timeout' });
    },
  },
  {
    name: 'a server that stops gives leave to reconnect, and the client comes back to the next one',
    async run(stage) {
      const site = await stage.serve();
      const client = await stage.connect(site, { reconnectDelaysMs: [0, 50, 500, 2000] });
      await client.received('welcome');
      await site.server.stop();
      expect(await client.event('reconnecting')).to.have.property('error', null);
      attachHubs(site.http, { hubs: [RoomsHub] });
      const { id } = await client.event('reconnected');
      expect(await client.invoke('whoAmI')).to.deep.equal({ connectionId: id, user: '' });
      expect(stage.journal.of('disconnect').map(({ reason }) => reason)).to.deep.equal(['server-stop']);
    },
  },
  {
    name: 'abort() sends a client away for good, with exactly one disconnect',
    async run(stage) {
      const site = await stage.serve();
      const client = await stage.connect(site, { reconnectDelaysMs: [0] });
      await client.received('welcome');
      await client.send('leaveMe');
      expect(await client.event('closed')).to.deep.equal({ type: 'closed', error: null });
      expect(client.events.filter(({ type }) => type === 'reconnecting')).to.deep.equal([]);
      expect(await stage.disconnects(site)).to.deep.equal(['kicked']);
    },
  },
];

const unsupported: readonly Case[] = [
  {
    name: 'a stream is refused, and the connection lives on',
    async run(stage) {
      const client = await stage.connect(await stage.serve());
      expect(await client.streamFails('countdown', 3)).to.equal(
        "An unexpected error occurred invoking 'countdown' on the server. " +
          'HubException: Streaming is not supported by this server.',
      );
      expect(await client.invoke('add', 1, 2)).to.equal(3);
    },
  },
  {
    name: 'a streaming method that is called for one result is refused',
    async run(stage) {
      const client = await stage.connect(await stage.serve());
      expect(await client.invokeFails('countdown', 3)).to.equal(
        "An unexpected error occurred invoking 'countdown' on the server. " +
          'HubException: A stream as the result of a hub method is not supported by this server.',
      );
    },
  },
  {
    name: 'an upload is refused, its items are ignored, and the connection lives on',
    async run(stage) {
      const client = await stage.connect(await stage.serve());
      expect(await client.uploadFails('sum', [1, 2, 3])).to.equal(
        "An unexpected error occurred invoking 'sum' on the server. " +
          'HubException: Uploading a stream is not supported by this server.',
      );
      expect(await client.invoke('add', 1, 2)).to.equal(3);
    },
  },
  {
    name: 'MessagePack is refused by the handshake',
    async run(stage) {
      const client = await stage.open(await stage.serve(), { messagePack: true });
      expect(await client.startFails()).to.equal(
        "Server returned handshake error: The protocol 'messagepack' is not supported.",
      );
      expect(stage.journal.entries.items).to.deep.equal([]);
    },
  },
];

const authentication: readonly Case[] = [
  {
    name: 'an access token says who the user is: by a header, or in the query of a browser’s WebSocket',
    async run(stage) {
      const { seen, authenticate } = authenticator();
      const client = await stage.connect(await stage.serve({ authenticate }), { accessToken: 'ann' });
      expect(await client.invoke('whoAmI')).to.deep.equal({ connectionId: client.id, user: 'ann' });
      expect(seen.items).to.deep.equal([
        { method: 'POST', path: '/rooms/negotiate', hasHeader: true, token: 'ann', query: '' },
        { method: 'GET', path: '/rooms', hasHeader: !stage.isBrowser, token: 'ann', query: '' },
      ]);
    },
  },
  {
    name: '@authorize on a hub refuses who is unknown at the negotiation',
    async run(stage) {
      const client = await stage.open(await stage.serve(), { path: '/ops' });
      expect(await client.startFails()).to.match(/^Failed to complete negotiation with the server: .*'401'$/);
    },
  },
  {
    name: '@authorize on a hub refuses who is known and may not at the negotiation',
    async run(stage) {
      const { authenticate } = authenticator();
      const client = await stage.open(await stage.serve({ authenticate }), { path: '/ops', accessToken: 'ann' });
      expect(await client.startFails()).to.match(/^Failed to complete negotiation with the server: .*'403'$/);
    },
  },
  {
    name: '@authorize on a hub refuses a bare WebSocket',
    async run(stage) {
      const { authenticate } = authenticator();
      const site = await stage.serve({ authenticate });
      const settings = { path: '/ops', accessToken: 'ann', skipNegotiation: true };
      const client = await stage.open(site, settings);
      await client.startFails();
      expect(site.server.connectionCount).to.equal(0);
      expect(stage.journal.entries.items).to.deep.equal([]);
    },
  },
  {
    name: '@authorize on a hub lets in who may',
    async run(stage) {
      const { authenticate } = authenticator();
      const site = await stage.serve({ authenticate });
      const client = await stage.connect(site, { path: '/ops', accessToken: 'ann:admin' });
      expect(await client.invoke('restart')).to.equal('restarted');
    },
  },
  {
    name: '@authorize on a method refuses the call, and the connection lives on',
    async run(stage) {
      const { authenticate } = authenticator();
      const client = await stage.connect(await stage.serve({ authenticate }), { accessToken: 'ann' });
      expect(await client.invokeFails('secret')).to.equal("Failed to invoke 'secret' because user is unauthorized");
      expect(await client.invoke('add', 1, 2)).to.equal(3);
    },
  },
];

/** Everything that an official client is promised, whatever it runs in. */
export const cases: Readonly<Record<string, readonly Case[]>> = {
  connecting: connecting,
  calls: calls,
  'sends and groups': sends,
  'the end of a connection': endings,
  'what is not there yet': unsupported,
  'who may': authentication,
};
