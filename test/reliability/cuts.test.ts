import { hub, Hub, hubMethod, type HubServer } from '@hubline/core';
import { expect } from 'chai';
import { ClassicClient, inJsdom } from '../support/classic-client.js';
import { ClassicWire } from '../support/classic-wire.js';
import { atTestEnd } from '../support/cleanup.js';
import { Journal } from '../support/journal.js';
import { startServer } from '../support/servers.js';
import { TcpProxy, type Cut } from '../support/tcp-proxy.js';
import { ReconnectingClient } from './reconnecting-client.js';

const isFull = process.env.HUBLINE_EFFORT === 'full';
// To see a failure again: HUBLINE_SEED=….
const seed = Number(process.env.HUBLINE_SEED ?? Date.now() % 1_000_000_000);

interface RoomsClient {
  message(group: string, number: number): void;
}

@hub('rooms')
class RoomsHub extends Hub<RoomsClient> {
  @hubMethod() echo(value: unknown) {
    return value;
  }

  @hubMethod() async join(group: string) {
    await this.groups.add(group);
  }
}

/** Numbers from 0 up to 1, the same ones for the same seed. */
function randomOf(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Cuts each connection that is opened somewhere, until there were enough cuts. */
class RandomCuts {
  /** How many connections were given an end. */
  count = 0;

  constructor(
    proxy: TcpProxy,
    private readonly random: () => number,
    private readonly wanted: number,
  ) {
    proxy.onConnection = (connection) => {
      if (this.isDone) return;
      this.count++;
      const direction = random() < 0.5 ? 'toServer' : 'toClient';
      const how: Cut = random() < 0.7 ? 'reset' : 'end';
      connection.cutAfter(direction, this.place(), how);
    };
  }

  get isDone(): boolean {
    return this.count >= this.wanted;
  }

  /** Half of them fall into the upgrade, which is short; the others between or within frames. */
  private place(): number {
    const within = this.random() < 0.5 ? 900 : 6_000;
    return 1 + Math.floor(this.random() * within);
  }
}

/** Sends to the groups, to all and to others, never further ahead of the client than a client may be behind. */
class Traffic {
  /** What the client must receive, in this order. */
  readonly expected: (readonly unknown[])[] = [];
  private number = 0;

  constructor(
    private readonly server: HubServer,
    private readonly clientId: string,
    private readonly random: () => number,
  ) {}

  async send(): Promise<void> {
    const { clients } = this.server.hub(RoomsHub);
    const number = ++this.number;
    const dice = this.random();
    if (dice < 0.1) {
      await clients.group('a', { except: this.clientId }).message('others', number);
      return;
    }
    if (dice < 0.2) {
      await clients.group('of others').message('of others', number);
      return;
    }
    if (dice < 0.3) await clients.groups(['a', 'b']).message('both', number);
    else if (dice < 0.4) await clients.all.message('all', number);
    else if (dice < 0.7) await clients.group('a').message('a', number);
    else await clients.group('b').message('b', number);
    this.expected.push([dice < 0.3 ? 'both' : dice < 0.4 ? 'all' : dice < 0.7 ? 'a' : 'b', number]);
  }

  /** Sends until `isDone`, and then a last message. */
  async until(isDone: () => boolean, received: () => number): Promise<void> {
    while (!isDone()) {
      if (this.expected.length - received() < 500) await this.send();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.server.hub(RoomsHub).clients.group('a').message('the end', 0);
    this.expected.push(['the end', 0]);
  }
}

/** Names the first difference: both lists have thousands of messages. */
function expectSame(actual: readonly (readonly unknown[])[], expected: readonly (readonly unknown[])[]): void {
  const text = (list: readonly (readonly unknown[])[]) => list.map((args) => args.join(' '));
  const [got, wanted] = [text(actual), text(expected)];
  const first = wanted.findIndex((line, index) => got[index] !== line);
  const from = Math.max(0, first - 2);
  if (first >= 0)
    expect(got.slice(from, from + 8), `from message ${first} on`).to.deep.equal(wanted.slice(from, from + 8));
  expect(got.length).to.equal(wanted.length);
}

/** Every resume was one of a connection that is held, and nothing was lost on the way. */
function expectCompleteResumes(journal: Journal): void {
  for (const { resume } of journal.of('reconnect')) {
    expect(resume).to.include({ newLife: false, complete: true });
    expect([...resume.groups].sort()).to.deep.equal(['a', 'b']);
  }
  expect(journal.of('connect')).to.have.length(1);
  expect(journal.of('disconnect')).to.have.length(0);
}

/** Calls, and calls again when something has happened: so there are bytes to the server too, and no end of failures. */
async function callAtEvents(client: ClassicClient, goesOn: () => boolean): Promise<void> {
  while (goesOn()) {
    await client.outcome('rooms', 'echo', 'hello');
    const seen = client.events.count;
    await client.events.until(({ length }) => !goesOn() || length > seen, 'another event');
  }
}

describe(`a network that is cut anywhere (HUBLINE_SEED=${seed})`, function () {
  this.timeout(isFull ? 120_000 : 30_000);

  const cuts = isFull ? 200 : 25;
  it(`over ${cuts} cuts a client loses nothing, and gets nothing twice or out of order`, async () => {
    const random = randomOf(seed);
    const journal = new Journal();
    const { server, url, port } = await startServer({ hubs: [RoomsHub], modules: [journal] });
    const proxy = await TcpProxy.start(port);
    const wire = new ClassicWire(url);
    const client = new ReconnectingClient(new ClassicWire(proxy.url), wire);
    atTestEnd(() => client.stop());
    await client.begin();
    for (const group of ['a', 'b']) await client.invoke('join', group);

    const cutting = new RandomCuts(proxy, random, cuts);
    const traffic = new Traffic(server, wire.id, random);
    proxy.cut();
    await traffic.until(
      () => cutting.isDone,
      () => client.messages.count,
    );
    await client.messages.find(([group]) => group === 'the end', 'the last message', { ms: 20_000 });

    expectSame(client.messages.items, traffic.expected);
    expect(client.complaints).to.deep.equal([]);
    expect(client.sockets).to.be.greaterThan(cuts);
    expectCompleteResumes(journal);
    expect(server.connectionCount).to.equal(1);
  });

  const officialCuts = isFull ? 30 : 6;
  it(`over ${officialCuts} cuts the official client loses nothing, and gets nothing twice or out of order`, async () => {
    const random = randomOf(seed + 1);
    const journal = new Journal();
    const { server, port } = await startServer({ hubs: [RoomsHub], modules: [journal] });
    const proxy = await TcpProxy.start(port);
    const client = await ClassicClient.open(inJsdom, proxy.url, { hubs: { rooms: ['message'] }, reconnectDelayMs: 1 });
    await client.start();
    for (const group of ['a', 'b']) await client.invoke('rooms', 'join', group);
    let calling = true;
    atTestEnd(() => (calling = false));
    const calls = callAtEvents(client, () => calling);

    const cutting = new RandomCuts(proxy, random, officialCuts);
    const traffic = new Traffic(server, client.id, random);
    proxy.cut();
    await traffic.until(
      () => cutting.isDone,
      () => client.messages('message').length,
    );
    await client.events.until(
      () => client.messages('message').some(([group]) => group === 'the end'),
      'the last message',
      20_000,
    );
    calling = false;
    await client.invoke('rooms', 'echo', 'the last call');
    await calls;

    expectSame(client.messages('message'), traffic.expected);
    expectCompleteResumes(journal);
  });
});
