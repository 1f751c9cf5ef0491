import { type DisconnectReason, hub, Hub, hubMethod, type HubPipelineModule } from '@hubline/core';
import { settle } from '@hubline/core/testing';
import { expect } from 'chai';
import { expectNothingHeld, heldBy, rawApp, type RawApp } from '../support/raw-client.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

const answers: string[] = [];
let inDisconnect: (hub: ChatHub) => Promise<void> = () => Promise.resolve();
let adding = 0;

@hub('chat')
class ChatHub extends Hub {
  /** Joins now, in the next turns, and again. */
  @hubMethod() async joinMany(name: string): Promise<void> {
    adding++;
    try {
      for (const group of ['everybody', name, `${name}/a`, `${name}/b`]) {
        answers.push(await this.groups.add(group));
        await turn();
      }
    } finally {
      adding--;
    }
  }
  override onDisconnected(_reason: DisconnectReason): Promise<void> {
    return inDisconnect(this);
  }
}

/** What a client is cut as. */
const cuts = ['abort', 'socket', 'core socket'] as const;

async function cutInTheMiddle(app: RawApp, index: number): Promise<void> {
  const { groups } = app.server.hub(ChatHub);
  const addFromOutside = async (connectionId: string): Promise<void> => {
    for (const group of ['everybody', `outside/${index}`]) {
      answers.push(await groups.add(group, { connectionId }));
      await turn();
    }
  };
  const cut = cuts[index % cuts.length];
  if (cut === 'core socket') {
    const socket = await app.socket('/chat');
    socket.send('{"protocol":"json","version":1}\u001e');
    await socket.frames.atLeast(1);
    socket.send(`{"type":1,"target":"joinMany","arguments":["core/${index}"]}\u001e`);
    for (let turns = index % 7; turns > 0; turns--) await turn();
    socket.webSocket.terminate();
    await socket.closed();
    return;
  }
  const client = app.classic(['chat']);
  const socket = await client.start();
  socket.send({ H: 'chat', M: 'joinMany', A: [`classic/${index}`], I: 0 });
  const outside = addFromOutside(client.id);
  for (let turns = index % 7; turns > 0; turns--) await turn();
  if (cut === 'abort') await client.abort();
  else await socket.drop();
  await outside;
}

describe('groups that connections join while they are leaving', () => {
  beforeEach(() => {
    answers.length = 0;
    adding = 0;
    inDisconnect = () => Promise.resolve();
  });

  it('a thousand connections are cut with adds in flight: each answers, and no topic or group is left', async function () {
    this.timeout(60_000);
    await using app = rawApp({ hubs: [ChatHub] });
    const indices = [...Array(1_000).keys()];
    while (indices.length > 0) await Promise.all(indices.splice(0, 50).map((index) => cutInTheMiddle(app, index)));
    await app.clock.advance(32_000);
    while (adding > 0) await turn();
    expect(new Set(answers)).to.deep.equal(new Set(['joined', 'gone']));
    expect(answers.length).to.be.greaterThan(4_000);
    await settle();
    expectNothingHeld(app.server);
  });

  it('in onDisconnected both add and remove answer at once that it is gone, and write nothing', async () => {
    const sends: string[] = [];
    const watcher: HubPipelineModule = {
      name: 'watcher',
      send({ method }, next) {
        sends.push(method);
        return next();
      },
    };
    await using app = rawApp({ hubs: [ChatHub], modules: [watcher] });
    const other = app.classic(['chat']);
    await other.start();
    const seen: unknown[] = [];
    inDisconnect = async ({ groups, context: { connectionId } }) => {
      const held = heldBy(app.server);
      const asked = Promise.all([
        groups.add('everybody'),
        groups.remove('everybody'),
        groups.add('everybody', { connectionId }),
        groups.remove('everybody', { connectionId }),
      ]);
      // Nothing but promises that are settled already: it needs no turn of the event loop.
      const late = turn().then(() => 'too late');
      seen.push(await Promise.race([asked, late]));
      expect(heldBy(app.server)).to.deep.equal(held);
    };
    const client = app.classic(['chat']);
    const socket = await client.start();
    socket.send({ H: 'chat', M: 'joinMany', A: ['room'], I: 0 });
    await socket.answer('0');
    await client.abort();
    expect(seen).to.deep.equal([['gone', 'left', 'gone', 'left'].map(() => 'gone')]);
    expect(sends).to.deep.equal([]);
    await other.abort();
    expectNothingHeld(app.server);
  });

  it('the end of an old life changes no group of the next one', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    const seen: string[] = [];
    inDisconnect = async ({ groups }) => {
      await held;
      seen.push(await groups.remove('everybody'), await groups.add('ghosts'));
    };
    const client = app.classic(['chat']);
    const socket = await client.start();
    socket.send({ H: 'chat', M: 'joinMany', A: ['room'], I: 0 });
    await socket.answer('0');
    await settle();
    await socket.drop();
    await app.clock.advance(32_000);
    expect(app.server.connectionCount).to.equal(0);
    const again = await client.reconnect();
    go();
    await settle();
    expect(seen).to.deep.equal(['gone', 'gone']);
    const [record] = [...app.server['dispatcher'].ground.registry];
    expect(record?.memberships.of('chat')).to.have.members(['everybody', 'room', 'room/a', 'room/b']);
    inDisconnect = () => Promise.resolve();
    await again.drop();
    await client.abort();
    expectNothingHeld(app.server);
  });
});
