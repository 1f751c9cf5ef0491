import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { atTestEnd } from './cleanup.js';
import { makeCoreAgent, type CoreAgent, type CoreEvent, type CoreOutcome, type CoreSettings } from './core-agent.js';
import { Recorder } from './recorder.js';
import { pagePath, scriptPaths, type Site } from './site.js';
import { TcpProxy } from './tcp-proxy.js';
import { defaultWaitMs, within } from './within.js';

export type { CoreEvent, CoreSettings } from './core-agent.js';

const require = createRequire(import.meta.url);

type AgentMethod = keyof CoreAgent;

/** A place in which the official client has been loaded. */
interface CoreHost {
  call<M extends AgentMethod>(method: M, args: Parameters<CoreAgent[M]>): Promise<Awaited<ReturnType<CoreAgent[M]>>>;
  close(): Promise<void>;
}

/** Makes such a place; in a browser its page comes from `origin`. */
export type MakeCoreHost = (origin: string, report: (event: CoreEvent) => void) => Promise<CoreHost>;

/** The official ASP.NET Core client, unmodified, over WebSockets, behind a network of its own. */
export class CoreClient {
  readonly events = new Recorder<CoreEvent>('the events of the client');
  private knownId: string | null = null;

  private constructor(
    private readonly host: CoreHost,
    /** What lies between it and the server. */
    readonly network: TcpProxy,
  ) {}

  /** Loads it, and sets it up; it is closed when the test is over. */
  static async open(makeHost: MakeCoreHost, site: Site, settings: CoreSettings): Promise<CoreClient> {
    const network = await TcpProxy.start(site.port);
    let report: (event: CoreEvent) => void = () => undefined;
    const host = await within(
      makeHost(network.url, (event) => report(event)),
      defaultWaitMs,
      'a place for the client',
    );
    const client = new CoreClient(host, network);
    report = (event) => client.events.add(event);
    atTestEnd(() => host.close());
    await client.call('open', [network.url, settings]);
    return client;
  }

  /** The id of its connection, as it knows it. */
  get id(): string {
    if (this.knownId === null) throw new Error('The client knows no id.');
    return this.knownId;
  }

  /** Connects. */
  async start(): Promise<this> {
    const outcome = await this.call('start', []);
    if ('error' in outcome) throw new Error(outcome.error);
    this.knownId = outcome.result as string | null;
    return this;
  }

  /** Why it cannot connect. */
  async startFails(): Promise<string> {
    return errorOf(await this.call('start', []));
  }

  /**
   * Why a connection ended that never was good: where the end is in time for the answer of `start()`, that rejects
   * with it, and nobody is told of a close.
   */
  async endsEarly(): Promise<string | null> {
    const outcome = await this.call('start', []);
    return 'error' in outcome ? outcome.error : (await this.event('closed')).error;
  }

  stop(): Promise<void> {
    return this.call('stop', []);
  }

  /** Calls a hub method; rejects with the error that the client was given. */
  async invoke(method: string, ...args: readonly unknown[]): Promise<unknown> {
    const outcome = await this.call('invoke', [method, args]);
    if ('error' in outcome) throw new Error(outcome.error);
    return outcome.result;
  }

  /** Calls a hub method that fails, and answers the error that the client was given. */
  async invokeFails(method: string, ...args: readonly unknown[]): Promise<string> {
    return errorOf(await this.call('invoke', [method, args]));
  }

  send(method: string, ...args: readonly unknown[]): Promise<void> {
    return this.call('send', [method, args]);
  }

  async streamFails(method: string, ...args: readonly unknown[]): Promise<string> {
    return errorOf(await this.call('stream', [method, args]));
  }

  async uploadFails(method: string, items: readonly unknown[]): Promise<string> {
    return errorOf(await this.call('upload', [method, [], items]));
  }

  /** The arguments of the messages for a client method so far, in order. */
  messages(method: string): (readonly unknown[])[] {
    return this.events.items.flatMap((event) =>
      event.type === 'message' && event.method === method ? [event.args] : [],
    );
  }

  /** The first `count` messages for a client method, as soon as they are there. */
  async received(method: string, count = 1): Promise<(readonly unknown[])[]> {
    await this.events.until(() => this.messages(method).length >= count, `${count} '${method}' at the client`);
    return this.messages(method);
  }

  /** The first event of a type, as soon as it is there. */
  async event<T extends CoreEvent['type']>(type: T): Promise<Extract<CoreEvent, { readonly type: T }>> {
    const found = await this.events.find((event) => event.type === type, `'${type}' of the client`);
    return found as Extract<CoreEvent, { readonly type: T }>;
  }

  private call<M extends AgentMethod>(
    method: M,
    args: Parameters<CoreAgent[M]>,
  ): Promise<Awaited<ReturnType<CoreAgent[M]>>> {
    return within(this.host.call(method, args), defaultWaitMs, `the client's ${method}`);
  }
}

function errorOf(outcome: CoreOutcome): string {
  if ('error' in outcome) return outcome.error;
  throw new Error(`The call was answered: ${JSON.stringify(outcome.result)}`);
}

/** In this process. */
export const inNode: MakeCoreHost = async (_origin, report) => {
  // Its ES modules leave out what it needs in Node.
  const signalR = require('@microsoft/signalr') as Parameters<typeof makeCoreAgent>[0];
  const { MessagePackHubProtocol } = require('@microsoft/signalr-protocol-msgpack') as {
    readonly MessagePackHubProtocol: new () => object;
  };
  const agent = makeCoreAgent(signalR, MessagePackHubProtocol, (event) => report(copy(event) as CoreEvent));
  return {
    async call(method, args) {
      const run = agent[method] as (...given: unknown[]) => unknown;
      return copy(await run(...(copy(args) as unknown[]))) as never;
    },
    close: () => agent.stop(),
  };
};

/** A page that clients use one after the other: making one takes longer than most tests. */
interface ReusablePage {
  readonly page: Page;
  report: (event: CoreEvent) => void;
}

/** In pages of Chromium. */
export function inChromiumPages(browser: () => Browser): MakeCoreHost {
  const free: ReusablePage[] = [];
  return async (origin, report) => {
    const reusable = free.pop() ?? (await makePage(browser()));
    reusable.report = report;
    const { page } = reusable;
    await page.goto(`${origin}${pagePath}`);
    for (const url of scriptPaths) await page.addScriptTag({ url });
    await page.evaluate(
      `window.agent = (${makeCoreAgent.toString()})(
        signalR, signalR.protocols.msgpack.MessagePackHubProtocol, (event) => window.report(JSON.stringify(event)))`,
    );
    return {
      async call(method, args) {
        const given = JSON.stringify(args);
        const answer = await page.evaluate(
          `Promise.resolve(window.agent.${method}(...${given})).then((value) => JSON.stringify(value))`,
        );
        return (answer === undefined ? undefined : JSON.parse(answer as string)) as never;
      },
      async close() {
        reusable.report = () => undefined;
        await page.goto('about:blank');
        free.push(reusable);
      },
    };
  };
}

async function makePage(browser: Browser): Promise<ReusablePage> {
  const page = await browser.newPage();
  const reusable: ReusablePage = { page, report: () => undefined };
  await page.exposeFunction('report', (json: string) => reusable.report(JSON.parse(json) as CoreEvent));
  return reusable;
}

/** A value as it crosses into a page and out of it. */
function copy(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
