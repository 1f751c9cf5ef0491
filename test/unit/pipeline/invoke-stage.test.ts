import {
  authorize,
  hub,
  Hub,
  HubException,
  HublineError,
  hubMethod,
  type HubPipelineModule,
  type InvokeContext,
  type Outcome,
} from '@hubline/core';
import { CallFailed, failure, settle, testServer } from '@hubline/core/testing';
import { expect } from 'chai';

interface ChatClient {
  said(text: unknown): void;
}

function cyclic(): object {
  const value: { self?: object } = {};
  value.self = value;
  return value;
}

@hub('Chat')
class ChatHub extends Hub<ChatClient> {
  @hubMethod() echo(value: unknown) {
    return value;
  }
  @hubMethod() async later(value: unknown) {
    await settle();
    return value;
  }
  @hubMethod() nothing(): void {}
  @hubMethod() throwAtOnce(): never {
    throw new TypeError('at once');
  }
  @hubMethod() async throwLater(): Promise<never> {
    await settle();
    throw new TypeError('later');
  }
  @hubMethod() throwText(): never {
    // What applications throw is theirs.
    throw 'a text';
  }
  @hubMethod() refuse(): never {
    throw new HubException('Room is full', { max: 10 });
  }
  @hubMethod() giveCyclic(): unknown {
    return cyclic();
  }
  @hubMethod() async giveCyclicLater(): Promise<unknown> {
    await settle();
    return cyclic();
  }
  @hubMethod() async *stream() {
    yield await Promise.resolve(1);
  }
  @hubMethod() @authorize({ roles: ['admin'] }) admin() {
    return 1;
  }
  @hubMethod() async sendMany(how: string): Promise<string> {
    if (how === 'awaited') for (const text of ['a', 'b', 'c']) await this.clients.caller.said(text);
    else for (const text of ['a', 'b', 'c']) void this.clients.caller.said(text);
    return 'done';
  }
}

@hub('broken')
class BrokenHub extends Hub {
  constructor() {
    super();
    throw new Error('no database');
  }
  @hubMethod() call() {
    return 1;
  }
}

type Seen = { readonly error?: unknown; readonly outcome?: unknown; readonly context: InvokeContext };

/** Sees how each call ends. */
function watcher(): HubPipelineModule & { readonly seen: Seen[] } {
  const seen: Seen[] = [];
  return {
    name: 'watcher',
    seen,
    async invoke(context, next) {
      try {
        const outcome = await next();
        seen.push({ outcome, context });
        return outcome;
      } catch (error) {
        seen.push({ error, context });
        throw error;
      }
    },
  };
}

describe('every failure of a call passes through the chain', () => {
  const failures: readonly (readonly [hub: string, method: string, args: readonly unknown[], code: string])[] = [
    ['nobody', 'say', [1], 'HUB_UNKNOWN_HUB'],
    ['chat', 'shout', [1], 'HUB_UNKNOWN_METHOD'],
    ['chat', 'admin', [], 'HUB_NOT_AUTHORIZED'],
    ['chat', 'echo', [], 'HUB_ARGUMENT_COUNT'],
    ['chat', 'echo', [1, 2], 'HUB_ARGUMENT_COUNT'],
    ['broken', 'call', [], 'HUB_CREATE_FAILED'],
    ['chat', 'throwAtOnce', [], 'at once'],
    ['chat', 'throwLater', [], 'later'],
    ['chat', 'throwText', [], 'a text'],
    ['chat', 'refuse', [], 'HUB_EXCEPTION'],
    ['chat', 'giveCyclic', [], 'HUB_CANNOT_ENCODE'],
    ['chat', 'giveCyclicLater', [], 'HUB_CANNOT_ENCODE'],
    ['chat', 'stream', [], 'HUB_NOT_SUPPORTED'],
  ];
  const seenAs = (error: unknown): unknown =>
    HublineError.is(error) ? error.code : error instanceof Error ? error.message : error;

  for (const [hubName, method, args, code] of failures) {
    it(`${hubName}.${method} with ${args.length} arguments: ${code}, and the connection lives`, async () => {
      const seen = watcher();
      await using app = testServer({ hubs: [ChatHub, BrokenHub], modules: [seen] });
      const client = await app.connect(ChatHub);
      const failed = await failure(client.callHub(hubName, method, args));
      expect(failed).to.be.instanceOf(CallFailed);
      expect(seen.seen.map(({ error }) => seenAs(error))).to.deep.equal([code]);
      expect(failed.message).to.equal(
        method === 'refuse' ? 'Room is full' : `There was an error invoking Hub method '${hubName}.${method}'.`,
      );
      expect(await client.invoke('echo', 'alive')).to.equal('alive');
    });

    it(`${hubName}.${method} with ${args.length} arguments: a module may answer instead`, async () => {
      const kind: HubPipelineModule = {
        name: 'kind',
        async invoke(_context, next) {
          try {
            return await next();
          } catch {
            return 'it does not matter';
          }
        },
      };
      await using app = testServer({ hubs: [ChatHub, BrokenHub], modules: [kind] });
      const client = await app.connect(ChatHub);
      expect(await client.callHub(hubName, method, args)).to.equal('it does not matter');
    });
  }

  it('and the text and data of a HubException reach the caller as they are', async () => {
    await using app = testServer({ hubs: [ChatHub] });
    const failed = (await failure((await app.connect(ChatHub)).call('refuse'))) as CallFailed;
    expect([failed.message, failed.isHubException, failed.data]).to.deep.equal(['Room is full', true, { max: 10 }]);
  });

  it('also one that a module throws, before or after next', async () => {
    for (const when of ['before', 'after']) {
      const seen = watcher();
      const refuser: HubPipelineModule = {
        name: 'refuser',
        async invoke(_context, next) {
          if (when === 'after') await next();
          throw new HubException(`not ${when}`);
        },
      };
      await using app = testServer({ hubs: [ChatHub], modules: [seen, refuser] });
      expect(await failure((await app.connect(ChatHub)).invoke('echo', 1))).to.have.property('message', `not ${when}`);
      expect(seen.seen.map(({ error }) => seenAs(error))).to.deep.equal(['HUB_EXCEPTION']);
    }
  });
});

describe('a call to what is not there', () => {
  it('to an unknown hub passes the modules with a hub of the name as sent, and no method', async () => {
    const seen = watcher();
    await using app = testServer({ hubs: [ChatHub], modules: [seen] });
    await failure((await app.connect(ChatHub)).callHub('NoBody', 'DoIt', [1]));
    const { context } = seen.seen[0] as Seen;
    expect(context.hub.name).to.equal('NoBody');
    expect(context.hub.methods.size).to.equal(0);
    expect([context.method, context.methodName, context.arguments]).to.deep.equal([undefined, 'DoIt', [1]]);
    await context.handle.clients.all;
  });

  it('to an unknown method passes the modules with the hub, and no method', async () => {
    const seen = watcher();
    await using app = testServer({ hubs: [ChatHub], modules: [seen] });
    await failure((await app.connect(ChatHub)).callHub('CHAT', 'DoIt', []));
    const { context } = seen.seen[0] as Seen;
    expect([context.hub.name, context.method, context.methodName]).to.deep.equal(['Chat', undefined, 'DoIt']);
  });

  it('may be answered by a module', async () => {
    const answering: HubPipelineModule = {
      name: 'answering',
      invoke: (context, next) => (context.method === undefined ? `no ${context.methodName}` : next()),
    };
    await using app = testServer({ hubs: [ChatHub], modules: [answering] });
    expect(await (await app.connect(ChatHub)).call('shout')).to.equal('no shout');
  });
});

describe('the answer of a call', () => {
  const answering = (answer: (context: InvokeContext, given: Outcome) => Outcome): HubPipelineModule => ({
    name: 'answering',
    invoke: async (context, next) => answer(context, await next()),
  });

  for (const method of ['echo', 'later'] as const) {
    it(`of ${method} that an outer module has replaced is what the caller is given`, async () => {
      await using app = testServer({ hubs: [ChatHub], modules: [answering((_, given) => ({ given, by: 'module' }))] });
      const client = await app.connect(ChatHub);
      expect(await client.invoke(method, [1])).to.deep.equal({ given: [1], by: 'module' });
    });
  }

  it('that an outer module has replaced is encoded after the chain: what cannot be is the error of the call', async () => {
    const seen = watcher();
    await using app = testServer({ hubs: [ChatHub], modules: [seen, answering(() => cyclic())], detailedErrors: true });
    const client = await app.connect(ChatHub);
    const failed = await failure(client.invoke('echo', 1));
    expect(failed.message).to.equal('The value at result.self cannot be sent: it contains itself.');
    // The modules had given it away by then.
    expect(seen.seen.map(({ error }) => error)).to.deep.equal([undefined]);
    expect(await failure(client.invoke('echo', 2))).to.be.instanceOf(CallFailed);
  });

  it('that a module changes in place is what had been encoded before', async () => {
    const changing = answering((_, given) => Object.assign(given as object, { changed: true }));
    await using app = testServer({ hubs: [ChatHub], modules: [changing] });
    expect(await (await app.connect(ChatHub)).invoke('echo', { a: 1 })).to.deep.equal({ a: 1 });
  });

  it('is null where a method gives nothing, and a module may say so with answer()', async () => {
    const seen = watcher();
    await using app = testServer({ hubs: [ChatHub], modules: [seen] });
    expect(await (await app.connect(ChatHub)).invoke('nothing')).to.equal(null);
    expect(seen.seen.map(({ outcome }) => outcome)).to.deep.equal([null]);
    const context = seen.seen[0]?.context as InvokeContext;
    const list = [1];
    expect([context.answer(), context.answer(undefined), context.answer(0), context.answer(list)]).to.deep.equal([
      null,
      null,
      0,
      list,
    ]);
  });

  it('is an error that names the module which has forgotten it', async () => {
    const forgetful = { name: 'forgetful', invoke: async (_: unknown, next: () => unknown) => void (await next()) };
    await using app = testServer({ hubs: [ChatHub], modules: [forgetful as never], detailedErrors: true });
    expect((await failure((await app.connect(ChatHub)).invoke('echo', 1))).message).to.include("'forgetful'");
  });

  it('arguments may be replaced, also their number', async () => {
    const replacing: HubPipelineModule = {
      name: 'replacing',
      invoke(context, next) {
        context.arguments = context.arguments.map((value) => `<${String(value)}>`).slice(0, 1);
        return next();
      },
    };
    await using app = testServer({ hubs: [ChatHub], modules: [replacing] });
    expect(await (await app.connect(ChatHub)).call('echo', 'a', 'b', 'c')).to.equal('<a>');
  });
});

describe('the context of an event', () => {
  it('has a handle through which a module sends and changes groups', async () => {
    const greeter: HubPipelineModule = {
      name: 'greeter',
      async connect({ handle, connectionId }, next) {
        await next();
        const { clients, groups } = handle as unknown as ReturnType<typeof app.hub<ChatClient>>;
        await groups.add('all', { connectionId });
        await clients.group('all').said('welcome');
      },
    };
    await using app = testServer({ hubs: [ChatHub], modules: [greeter] });
    const client = await app.connect(ChatHub);
    expect(await client.next('said')).to.deep.equal(['welcome']);
  });

  it('has items that are the connection’s, over all its events', async () => {
    const seen: unknown[] = [];
    const count = ({ items }: { readonly items: Map<unknown, unknown> }, stage: string): void => {
      const stages = (items.get('stages') ?? []) as string[];
      items.set('stages', [...stages, stage]);
      seen[0] = items.get('stages');
    };
    const counter: HubPipelineModule = {
      name: 'counter',
      connect(context, next) {
        count(context, 'connect');
        return next();
      },
      invoke(context, next) {
        count(context, 'invoke');
        return next();
      },
      rejoiningGroups(context, next) {
        count(context, 'rejoiningGroups');
        return next();
      },
      reconnect(context, next) {
        count(context, 'reconnect');
        return next();
      },
      disconnect(context, next) {
        count(context, 'disconnect');
        return next();
      },
    };
    await using app = testServer({ hubs: [ChatHub], modules: [counter] });
    const client = await app.connect(ChatHub);
    await client.invoke('echo', 1);
    await client.drop();
    await client.resume();
    await client.stop();
    expect(seen[0]).to.deep.equal(['connect', 'invoke', 'rejoiningGroups', 'reconnect', 'disconnect']);
  });

  it('has the clock and the logger of the server', async () => {
    const seen = watcher();
    await using app = testServer({ hubs: [ChatHub], modules: [seen] });
    await (await app.connect(ChatHub)).invoke('echo', 1);
    expect(seen.seen[0]?.context.clock).to.equal(app.clock);
    expect(seen.seen[0]?.context.logger.info).to.be.a('function');
  });

  it('has a signal that is aborted at the end of the connection, and not while it is away', async () => {
    const seen = watcher();
    await using app = testServer({ hubs: [ChatHub], modules: [seen] });
    const client = await app.connect(ChatHub);
    await client.invoke('echo', 1);
    const signal = seen.seen[0]?.context.signal;
    await client.drop();
    await app.clock.advance(10_000);
    expect(signal?.aborted).to.equal(false);
    await client.expire();
    expect(signal?.aborted).to.equal(true);
  });
});

describe('the send stage', () => {
  it('may replace arguments', async () => {
    const quoting: HubPipelineModule = {
      name: 'quoting',
      send(context, next) {
        context.arguments = context.arguments.map((value) => `"${String(value)}"`);
        return next();
      },
    };
    await using app = testServer({ hubs: [ChatHub], modules: [quoting] });
    const client = await app.connect(ChatHub);
    await app.hub(ChatHub).clients.all.said('hello');
    expect(await client.next('said')).to.deep.equal(['"hello"']);
  });

  it('may drop a message, and nobody minds', async () => {
    const dropping: HubPipelineModule = {
      name: 'dropping',
      send: (context, next) => (context.arguments[0] === 'b' ? 'dropped' : next()),
    };
    await using app = testServer({ hubs: [ChatHub], modules: [dropping] });
    const client = await app.connect(ChatHub);
    expect(await client.invoke('sendMany', 'awaited')).to.equal('done');
    expect(client.all('said')).to.deep.equal([['a'], ['c']]);
  });

  it('may refuse a message: the send rejects with what was thrown', async () => {
    const refusing: HubPipelineModule = {
      name: 'refusing',
      send() {
        throw new HubException('no messages today');
      },
    };
    await using app = testServer({ hubs: [ChatHub], modules: [refusing] });
    await app.connect(ChatHub);
    expect(await failure(app.hub(ChatHub).clients.all.said('a'))).to.have.property('message', 'no messages today');
  });

  for (const how of ['awaited', 'not awaited']) {
    it(`that is slow for the first message keeps the order of a call’s sends (${how}), and the answer behind them`, async () => {
      const waits: Record<string, number> = { a: 50, b: 10, c: 0 };
      const slow: HubPipelineModule = {
        name: 'slow',
        async send({ arguments: [text], clock }, next) {
          const wait = waits[String(text)] ?? 0;
          if (wait > 0) await new Promise<void>((resolve) => clock.after(wait, resolve));
          return next();
        },
      };
      await using app = testServer({ hubs: [ChatHub], modules: [slow] });
      const client = await app.connect(ChatHub);
      const order: string[] = [];
      const answered = client.invoke('sendMany', how).then((answer) => {
        order.push(answer, ...client.all('said').map(([text]) => String(text)));
      });
      await app.clock.advance(100);
      await answered;
      expect(order).to.deep.equal(['done', 'a', 'b', 'c']);
    });
  }

  it('that is quick for a later message does not let it overtake, though nobody awaits', async () => {
    let first: (() => void) | undefined;
    const slow: HubPipelineModule = {
      name: 'slow',
      send: ({ arguments: [text] }, next) =>
        text === 'a' ? new Promise<void>((resolve) => (first = resolve)).then(next) : next(),
    };
    await using app = testServer({ hubs: [ChatHub], modules: [slow] });
    const client = await app.connect(ChatHub);
    const answered = client.invoke('sendMany', 'not awaited');
    await settle();
    expect(client.all('said')).to.deep.equal([]);
    first?.();
    expect(await answered).to.equal('done');
    expect(client.all('said')).to.deep.equal([['a'], ['b'], ['c']]);
  });

  it('is given the target, the call and its user once, whatever the number of receivers', async () => {
    const seen: unknown[] = [];
    const watching: HubPipelineModule = {
      name: 'watching',
      send({ target, method, call, user, hub: { name } }, next) {
        seen.push({ target, method, inCall: call !== undefined, user: user?.id, hub: name });
        return next();
      },
    };
    await using app = testServer({ hubs: [ChatHub], modules: [watching] });
    const ann = await app.connect(ChatHub, { user: 'ann' });
    await app.connect(ChatHub);
    await app.hub(ChatHub).clients.groups(['a', 'b'], { except: ann.id }).said(1);
    await ann.invoke('sendMany', 'awaited');
    const target = { kind: 'connections', names: [ann.id], except: [] };
    expect(seen.slice(0, 2)).to.deep.equal([
      {
        target: { kind: 'groups', names: ['a', 'b'], except: [ann.id] },
        method: 'said',
        inCall: false,
        user: undefined,
        hub: 'Chat',
      },
      { target, method: 'said', inCall: true, user: 'ann', hub: 'Chat' },
    ]);
    expect(seen).to.have.length(4);
  });
});

describe('a module', () => {
  it('is tested in ten lines', async () => {
    const quiet = {
      name: 'quiet',
      invoke(): never {
        throw new HubException('Not now.');
      },
    };
    await using app = testServer({ hubs: [ChatHub], modules: [quiet] });
    const ann = await app.connect(ChatHub, { user: 'ann' });
    expect((await failure(ann.invoke('echo', 'a'))).message).to.equal('Not now.');
  });
});
