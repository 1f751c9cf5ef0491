import { RejoiningGroupsModule, type HubPipelineModule, type HubServer } from '@hubline/core';
import { expect } from 'chai';
import type { ClassicClient } from '../../../support/classic-client.js';
import { Journal } from '../../../support/journal.js';
import { startServer, type RunningServer } from '../../../support/servers.js';
import { TcpProxy } from '../../../support/tcp-proxy.js';
import { bothHubs, connected, type Driver } from './driver.js';
import { Gates } from './gates.js';
import { basics, NewsHub, RoomsHub } from './hubs.js';

interface Scene {
  readonly running: RunningServer;
  readonly proxy: TcpProxy;
  readonly journal: Journal;
  readonly gates: Gates;
  readonly client: ClassicClient;
}

interface SceneOptions {
  readonly rejoining?: HubPipelineModule;
  readonly hubs?: typeof bothHubs;
}

/** A server, a network that can be cut, and a client in two rooms. */
async function scene(driver: Driver, { rejoining, hubs = bothHubs }: SceneOptions = {}): Promise<Scene> {
  const journal = new Journal();
  const gates = new Gates();
  const prepare = (server: HubServer) => {
    if (rejoining !== undefined) server.pipeline.replace(RejoiningGroupsModule, rejoining);
  };
  const running = await startServer({ ...basics, modules: [journal, gates], prepare });
  const proxy = await TcpProxy.start(running.port);
  const client = await connected(driver, proxy.url, { hubs });
  for (const room of ['a', 'b']) await client.invoke('rooms', 'join', room);
  return { running, proxy, journal, gates, client };
}

/** Cuts the network, does something meanwhile, and waits until the client is back. */
async function away({ proxy, client }: Scene, meanwhile: () => unknown = () => undefined): Promise<void> {
  const times = client.events.filter(({ type }) => type === 'reconnected').length;
  proxy.goDown();
  await meanwhile();
  proxy.restore();
  await client.event('reconnected', times + 1);
}

/** What was said in rooms; the last thing that is said everywhere tells that all else has come. */
async function heard({ running, client }: Scene): Promise<string[]> {
  await running.server.hub(RoomsHub).clients.all.message('everywhere', 'the end');
  const seen = () => client.messages('message').map(([room, text]) => `${String(room)}: ${String(text)}`);
  await client.events.until(() => seen().includes('everywhere: the end'), 'the end');
  return seen().filter((line) => line !== 'everywhere: the end');
}

const rejoiningWith = (answer: (claimed: readonly string[]) => readonly string[]): HubPipelineModule => ({
  name: 'rejoining',
  rejoiningGroups: ({ hub, claimed }) => (hub.name === 'rooms' ? answer(claimed) : claimed),
});

/** What is left after the network was lost. */
export function reconnects(driver: Driver): void {
  it('every missed message arrives once and in order', async () => {
    const all = await scene(driver);
    const { clients } = all.running.server.hub(RoomsHub);
    const sent: string[] = [];
    const say = async (room: string, text: string) => {
      sent.push(`${room}: ${text}`);
      await clients.group(room).message(room, text);
    };
    for (let n = 1; n <= 5; n++) await say(n % 2 === 0 ? 'a' : 'b', `before ${n}`);
    await all.client.received('message', 5);
    await away(all, async () => {
      for (let n = 1; n <= 250; n++) await say(n % 3 === 0 ? 'a' : 'b', `away ${n}`);
    });
    for (let n = 1; n <= 5; n++) await say('a', `after ${n}`);
    expect(await heard(all)).to.deep.equal(sent);
    const { resume } = await all.journal.nth('reconnect');
    expect(resume).to.include({ complete: true, newLife: false });
  });

  it('messages to the connection, to all and to its groups keep their common order', async () => {
    const all = await scene(driver);
    const { clients } = all.running.server.hub(RoomsHub);
    await away(all, async () => {
      await clients.group('a').message('a', '1');
      await clients.all.message('all', '2');
      await clients.client(all.client.id).message('me', '3');
      await clients.groups(['a', 'b']).message('both', '4');
      await clients.group('b').message('b', '5');
    });
    expect(await heard(all)).to.deep.equal(['a: 1', 'all: 2', 'me: 3', 'both: 4', 'b: 5']);
  });

  it('the built-in module lets it be in the groups again that it was in', async () => {
    const all = await scene(driver);
    await away(all);
    const { resume } = await all.journal.nth('reconnect');
    expect([...resume.groups].sort()).to.deep.equal(['a', 'b']);
    expect([...resume.refused]).to.deep.equal([]);
    await all.client.invoke('rooms', 'say', 'b', 'still here');
    expect(await heard(all)).to.deep.equal(['b: still here']);
  });

  it('a module of the application can refuse a group: nothing of it arrives, missed or new', async () => {
    const rejoining: HubPipelineModule = {
      name: 'rejoining',
      rejoiningGroups: (context) => {
        if (context.claimed.includes('b')) context.refuse('b', 'banned');
        return context.claimed.filter((group) => group !== 'b');
      },
    };
    const all = await scene(driver, { rejoining });
    const { clients } = all.running.server.hub(RoomsHub);
    await away(all, async () => {
      await clients.group('b').message('b', 'missed');
      await clients.group('a').message('a', 'missed');
    });
    await clients.group('b').message('b', 'new');
    await clients.group('a').message('a', 'new');
    expect(await heard(all)).to.deep.equal(['a: missed', 'a: new']);
    const { resume } = await all.journal.nth('reconnect');
    expect(resume.groups).to.deep.equal(['a']);
    expect([...resume.refused]).to.deep.equal([['b', 'banned']]);
  });

  it('a group that was refused is not claimed by the next reconnect', async () => {
    const all = await scene(driver, {
      rejoining: rejoiningWith((claimed) => claimed.filter((group) => group !== 'b')),
    });
    await away(all);
    await away(all);
    const claimed = await claimsOf(all, 'rooms', 2);
    expect(claimed).to.deep.equal([['a', 'b'], ['a']]);
  });

  it('a group that was refused is not in the token that the client carries to another process', async () => {
    const all = await scene(driver, {
      rejoining: rejoiningWith((claimed) => claimed.filter((group) => group !== 'b')),
    });
    const before = await all.client.carries();
    await away(all);
    await heard(all);
    expect((await all.client.carries()).groupsToken).not.to.equal(before.groupsToken);
    const { journal } = await restart(all);
    expect((await journal.nth('rejoiningGroups')).claimed).to.deep.equal(['a']);
  });

  it('a module can add a group: messages of it arrive from then on, and the next reconnect claims it', async () => {
    const all = await scene(driver, { rejoining: rejoiningWith((claimed) => [...new Set([...claimed, 'c'])]) });
    const { clients } = all.running.server.hub(RoomsHub);
    await away(all, () => clients.group('c').message('c', 'not a member yet'));
    await clients.group('c').message('c', 'welcome');
    expect(await heard(all)).to.deep.equal(['c: welcome']);
    await away(all);
    expect(await claimsOf(all, 'rooms', 2)).to.deep.equal([
      ['a', 'b'],
      ['a', 'b', 'c'],
    ]);
  });

  it('a group that it left is not claimed', async () => {
    const all = await scene(driver);
    await all.client.invoke('rooms', 'leave', 'a');
    await away(all);
    expect(await claimsOf(all, 'rooms', 1)).to.deep.equal([['b']]);
  });

  it('it comes back to a server that was restarted with the same keys, in a new life and in its groups', async () => {
    const all = await scene(driver);
    const { running, journal } = await restart(all);
    const { resume, id } = await journal.nth('reconnect');
    expect(id).to.equal(all.client.id);
    expect(resume).to.include({ newLife: true, complete: false, downForMs: undefined });
    expect([...resume.groups].sort()).to.deep.equal(['a', 'b']);
    await running.server.hub(RoomsHub).clients.group('a').message('a', 'after the restart');
    expect(await heard({ ...all, running })).to.deep.equal(['a: after the restart']);
    expect(await all.client.invoke('rooms', 'echo', 1)).to.equal(1);
  });

  it('both of its hubs have their groups and messages again', async () => {
    const all = await scene(driver);
    await all.client.invoke('news', 'follow', 'a');
    const { server } = all.running;
    await away(all, async () => {
      await server.hub(NewsHub).clients.group('a').headline('missed');
      await server.hub(RoomsHub).clients.group('a').message('a', 'missed');
    });
    expect(await heard(all)).to.deep.equal(['a: missed']);
    expect(all.client.messages('headline')).to.deep.equal([['missed']]);
    expect(await claimsOf(all, 'news', 1)).to.deep.equal([['a']]);
    expect(await claimsOf(all, 'rooms', 1)).to.deep.equal([['a', 'b']]);
  });

  it('messages of a hub that it does not list never arrive, although it calls that hub and is in its groups', async () => {
    const all = await scene(driver, { hubs: { rooms: ['message'] } });
    const { clients } = all.running.server.hub(NewsHub);
    await all.client.invoke('news', 'follow', 'a');
    const publish = async () => {
      await clients.group('a').headline('to the group');
      await clients.all.headline('to all');
      await clients.client(all.client.id).headline('to one');
    };
    // The client throws at a message of a hub that it does not know, and then loses what comes after it.
    await publish();
    await away(all, publish);
    await publish();
    expect(await heard(all)).to.deep.equal([]);
    expect(all.client.events.filter(({ type }) => type === 'error')).to.satisfy(
      (errors: readonly { readonly message?: string }[]) =>
        errors.every(({ message }) => message === 'WebSocket closed.'),
    );
    expect(all.journal.of('rejoiningGroups').map(({ hub }) => hub)).to.deep.equal(['rooms']);
  });

  it('results of calls whose socket was replaced are dropped, and the calls complete on the server', async () => {
    const all = await scene(driver);
    const { client, gates } = all;
    await away(all);
    // Ids begin at 0 again with each socket: the call below and the one after the next cut have the same.
    const lost = client.outcome('rooms', 'gated', 'first');
    await gates.entered.atLeast(1);
    await away(all);
    expect((await lost).error?.message).to.contain('started reconnecting');
    const kept = client.outcome('rooms', 'gated', 'second');
    await gates.entered.atLeast(2);
    gates.open('first');
    await gates.passed.atLeast(1);
    expect(await client.invoke('rooms', 'echo', 'between')).to.equal('between');
    gates.open('second');
    expect((await kept).result).to.equal('second');
  });
}

async function claimsOf({ journal }: Scene, hub: string, count: number): Promise<(readonly string[])[]> {
  const found = () => journal.of('rejoiningGroups').flatMap((entry) => (entry.hub === hub ? [entry.claimed] : []));
  await journal.entries.until(() => found().length >= count, `${count} rejoins of '${hub}'`);
  return found();
}

/** Stops the server, and starts another one on its port; resolves when the client has come back to it. */
async function restart({ running, proxy, client }: Scene): Promise<Pick<Scene, 'running' | 'journal'>> {
  const times = client.events.filter(({ type }) => type === 'reconnected').length;
  proxy.goDown();
  await running.stop();
  const journal = new Journal();
  const next = await startServer({ ...basics, modules: [journal], port: running.port });
  proxy.restore();
  await client.event('reconnected', times + 1);
  return { running: next, journal };
}
