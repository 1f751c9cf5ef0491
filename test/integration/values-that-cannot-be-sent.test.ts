import { hub, Hub, hubMethod } from '@hubline/core';
import { failure, settle } from '@hubline/core/testing';
import { expect } from 'chai';
import { expectNothingHeld, heldBy, rawApp, type RawApp } from '../support/raw-client.js';

interface ChatClient {
  say(value: unknown, other?: unknown): void;
}

function cyclic(): object {
  const outer: Record<string, unknown> = { name: 'outer' };
  outer['inner'] = [{ back: outer }];
  return outer;
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = { a: value };
  return value;
}

function cyclicList(): unknown[] {
  const list: unknown[] = [1];
  list.push(list);
  return list;
}

const angry = {
  calm: 1,
  get mood(): string {
    throw new Error('leave me alone');
  },
};

const angryJson = {
  toJSON() {
    throw new Error('not in JSON');
  },
};

const values: readonly (readonly [what: string, make: () => unknown, path: string])[] = [
  ['an object that contains itself', cyclic, '.inner[0].back'],
  ['a list that contains itself', cyclicList, '[1]'],
  ['a bigint beyond the safe integers', () => 2n ** 70n, ''],
  ['a bigint deep inside', () => ({ a: [{ b: 2n ** 70n }] }), '.a[0].b'],
  ['something nested without end', () => deep(100_000), ''],
  ['an object with a getter that throws', () => ({ a: angry }), ''],
  ['an object whose toJSON throws', () => [angryJson], ''],
];

@hub('chat')
class ChatHub extends Hub<ChatClient> {
  @hubMethod() give(index: number): unknown {
    return (values[index] as (typeof values)[number])[1]();
  }
  @hubMethod() async send(index: number): Promise<unknown> {
    const value = (values[index] as (typeof values)[number])[1]();
    const { code } = (await failure(this.clients.all.say('first', value))) as Error & { code: string };
    return code;
  }
  @hubMethod() sendAndForget(index: number): string {
    void this.clients.all.say((values[index] as (typeof values)[number])[1]());
    return 'sent';
  }
  @hubMethod() async tellAndForget(): Promise<string> {
    void this.clients.all.say('slow');
    this.context.state['me'] = 1;
    this.context.progress('one');
    expect(() => this.context.progress(cyclic()))
      .to.throw()
      .with.property('code', 'HUB_CANNOT_ENCODE');
    return 'told';
  }
  @hubMethod() writeState(): string {
    this.context.state['me'] = cyclic();
    return 'written';
  }
}

const positionOf = (cursor: string) => Number.parseInt(cursor.slice(cursor.indexOf('-') + 1), 36);

async function twoClients(app: RawApp) {
  const one = app.classic(['chat']);
  const two = app.classic(['chat']);
  const first = await one.start();
  const second = await two.start();
  const { all } = app.server.hub(ChatHub).clients;
  await all.say('ready');
  await settle();
  return { one, two, first, second, all };
}

describe('a value that cannot be sent', () => {
  for (const [index, [what, make, path]] of values.entries()) {
    it(`${what}: the send rejects at the call, nobody receives anything, and no position is taken`, async () => {
      await using app = rawApp({ hubs: [ChatHub] });
      const { one, two, first, second, all } = await twoClients(app);
      const before = positionOf(one.cursor as string);
      const frames = first.frames.count + second.frames.count;

      const error = (await failure(all.say('first', make()))) as Error & { code: string; details: { path: string } };
      expect(error.code).to.equal('HUB_CANNOT_ENCODE');
      expect(error.details.path).to.match(/^arguments\[1\]/);
      if (path !== '') expect(error.details.path).to.equal(`arguments[1]${path}`);
      await settle();
      expect(first.frames.count + second.frames.count).to.equal(frames);

      await all.say('next');
      await settle();
      for (const client of [one, two]) expect(positionOf(client.cursor as string)).to.equal(before + 1);
      for (const socket of [first, second])
        expect(socket.received.map(({ A }) => A)).to.deep.equal([['ready'], ['next']]);
      expect(heldBy(app.server).connections).to.equal(2);
    });

    it(`${what}: the send rejects where nobody is connected, too`, async () => {
      await using app = rawApp({ hubs: [ChatHub] });
      const error = (await failure(app.server.hub(ChatHub).clients.all.say(make()))) as Error & { code: string };
      expect(error.code).to.equal('HUB_CANNOT_ENCODE');
    });

    it(`${what}: a send inside a call that is not awaited is logged once, and the call goes on`, async () => {
      await using app = rawApp({ hubs: [ChatHub] });
      const { first } = await twoClients(app);
      first.send({ H: 'chat', M: 'sendAndForget', A: [index], I: 0 });
      expect(await first.answer('0')).to.include({ R: 'sent' });
      await settle();
      expect(app.loggedCodes).to.deep.equal(['HUB_SEND_FAILED', 'HUB_CANNOT_ENCODE']);
      first.send({ H: 'chat', M: 'send', A: [index], I: 1 });
      expect(await first.answer('1')).to.include({ R: 'HUB_CANNOT_ENCODE' });
      await settle();
      expect(app.log.count).to.equal(1);
    });

    it(`${what}: as a result it is the error of its call, and the connection lives`, async () => {
      await using app = rawApp({ hubs: [ChatHub], detailedErrors: true });
      const client = app.classic(['chat']);
      const socket = await client.start();
      socket.send({ H: 'chat', M: 'give', A: [index], I: 0 });
      const { E } = await socket.answer('0');
      expect(E).to.match(/^The value at result/);
      expect(app.loggedCodes).to.deep.equal(['HUB_CANNOT_ENCODE']);
      socket.send({ H: 'chat', M: 'sendAndForget', A: [index], I: 1 });
      expect(await socket.answer('1')).to.include({ R: 'sent' });
      await client.abort();
      expectNothingHeld(app.server);
    });
  }

  it('in a send from outside that is not awaited is logged once, also in the first one', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const { all } = app.server.hub(ChatHub).clients;
    void all.say(cyclic());
    await settle();
    expect(app.loggedCodes).to.deep.equal(['HUB_SEND_FAILED', 'HUB_CANNOT_ENCODE']);
    void all.say(cyclic());
    await settle();
    expect(app.log.count).to.equal(2);
  });

  it('as progress throws at the call, also while a send of the call is waiting', async () => {
    const slow = { name: 'slow', send: (_: unknown, next: () => 'sent') => settle().then(next) };
    for (const modules of [[], [slow as never]]) {
      await using app = rawApp({ hubs: [ChatHub], modules });
      const socket = await app.classic(['chat']).start();
      socket.send({ H: 'chat', M: 'tellAndForget', A: [], I: 0 });
      expect(await socket.answer('0')).to.include({ R: 'told' });
      const progress = socket.received.flatMap((message) => (message as { P?: unknown }).P ?? []);
      expect(progress).to.deep.equal([{ I: '0', D: 'one' }]);
    }
  });

  it('in the state of a caller is the error of the call', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const client = app.classic(['chat']);
    const socket = await client.start();
    socket.send({ H: 'chat', M: 'writeState', A: [], I: 0 });
    expect(await socket.answer('0')).to.have.property('E');
    expect(app.loggedCodes).to.deep.equal(['HUB_CANNOT_ENCODE']);
    await client.abort();
    expectNothingHeld(app.server);
  });

  it('in a send after the server has stopped is logged, not thrown at nobody', async () => {
    const app = rawApp({ hubs: [ChatHub] });
    await app[Symbol.asyncDispose]();
    void app.server.hub(ChatHub).clients.all.say('too late');
    await settle();
    expect(app.loggedCodes).to.deep.equal(['HUB_SEND_FAILED', 'HUB_SERVER_STOPPED']);
  });
});
