import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { JSDOM } from 'jsdom';
import type { Browser, Page } from 'playwright-core';
import { WebSocket } from 'ws';
import {
  classicAgentScript,
  type ClassicAgent,
  type ClassicEvent,
  type ClassicOutcome,
  type ClassicSettings,
} from './classic-agent.js';
import { atTestEnd } from './cleanup.js';
import { Recorder } from './recorder.js';
import { defaultWaitMs, within } from './within.js';

export type { ClassicEvent, ClassicOutcome, ClassicSettings } from './classic-agent.js';

const require = createRequire(import.meta.url);
const sources = [require.resolve('jquery'), require.resolve('signalr')].map((path) => readFileSync(path, 'utf8'));
const scripts = [...sources, classicAgentScript];

type AgentMethod = keyof ClassicAgent;

/** A window in which the official client has been loaded. */
interface ClassicHost {
  call<M extends AgentMethod>(
    method: M,
    args: Parameters<ClassicAgent[M]>,
  ): Promise<Awaited<ReturnType<ClassicAgent[M]>>>;
  close(): Promise<void> | void;
}

/** Makes a window whose page comes from `origin`; its events go to `report`, as JSON. */
export type MakeHost = (origin: string, report: (json: string) => void) => Promise<ClassicHost>;

/** A call that was answered with an error, as the client tells it. */
export class ClassicCallError extends Error {
  constructor(
    message: string,
    readonly source: string | undefined,
    readonly data: unknown,
  ) {
    super(message);
  }
}

/** The official classic client, `signalr` with jQuery, in a window of its own; it uses WebSockets. */
export class ClassicClient {
  readonly events = new Recorder<ClassicEvent>('the events of the client');
  private connectionId: string | undefined;
  private closed: Promise<void> | undefined;

  private constructor(private readonly host: ClassicHost) {}

  /** Opens it on a page of `origin`, for the server's `/signalr` there; it is closed when the test is over. */
  static async open(makeHost: MakeHost, origin: string, settings: ClassicSettings): Promise<ClassicClient> {
    const early: string[] = [];
    let report = (json: string): void => void early.push(json);
    const host = await within(
      makeHost(origin, (json) => report(json)),
      defaultWaitMs,
      'a window for the client',
    );
    const client = new ClassicClient(host);
    report = (json) => client.events.add(JSON.parse(json) as ClassicEvent);
    for (const json of early) report(json);
    atTestEnd(() => client.close());
    await client.call('open', [origin, { reconnectDelayMs: 50, ...settings }]);
    return client;
  }

  /** The id of the connection that was last started. */
  get id(): string {
    if (this.connectionId === undefined) throw new Error('The client has not been started.');
    return this.connectionId;
  }

  /** Connects. */
  async start(): Promise<this> {
    this.connectionId = await this.call('start', []);
    return this;
  }

  /** Stops, and tells the server so. */
  async stop(): Promise<void> {
    await this.call('stop', []);
  }

  /** Calls a hub method; rejects with a `ClassicCallError`. */
  async invoke(hub: string, method: string, ...args: readonly unknown[]): Promise<unknown> {
    const { result, error } = await this.outcome(hub, method, ...args);
    if (error !== undefined) throw new ClassicCallError(error.message, error.source, error.data);
    return result;
  }

  /** Calls a hub method, and tells everything that came of it. */
  outcome(hub: string, method: string, ...args: readonly unknown[]): Promise<ClassicOutcome> {
    return this.call('invoke', [hub, method, args]);
  }

  /** Puts keys into the state of a hub's proxy, and answers the whole of it. */
  state(hub: string, changes: Readonly<Record<string, unknown>> = {}): Promise<Record<string, unknown>> {
    return this.call('state', [hub, changes]);
  }

  /** The cursor and the groups token that it presents when it comes back. */
  carries(): Promise<ReturnType<ClassicAgent['carries']>> {
    return this.call('carries', []);
  }

  /** The arguments of the messages so far, in order. */
  messages(method: string, hub?: string): (readonly unknown[])[] {
    return this.events.items.flatMap((event) =>
      event.type === 'message' && event.method === method && (hub === undefined || event.hub === hub)
        ? [event.args]
        : [],
    );
  }

  /** The `nth` event of a type (from 1), as soon as it is there. */
  event<T extends ClassicEvent['type']>(type: T, nth = 1): Promise<ClassicEvent> {
    return this.events.find((event) => event.type === type, `'${type}' number ${nth} of the client`, { nth });
  }

  /** The first `count` messages for a client method, as soon as they are there. */
  async received(method: string, count = 1): Promise<(readonly unknown[])[]> {
    await this.events.until(() => this.messages(method).length >= count, `${count} '${method}' at the client`);
    return this.messages(method);
  }

  /** Takes the window away. A browser's page tells the server that it stops, if it can. */
  close(): Promise<void> {
    return (this.closed ??= Promise.resolve(this.host.close()));
  }

  private call<M extends AgentMethod>(
    method: M,
    args: Parameters<ClassicAgent[M]>,
  ): Promise<Awaited<ReturnType<ClassicAgent[M]>>> {
    return within(this.host.call(method, args), defaultWaitMs, `the client's ${method}`);
  }
}

/** Something that is no exception for a browser: the client learns of a failed socket by its close. */
class BrowserWebSocket extends WebSocket {
  constructor(url: string) {
    super(url);
    this.on('error', () => undefined);
  }
}

/** Windows in jsdom, with `ws` for their WebSockets. */
export const inJsdom: MakeHost = async (origin, report) => {
  const dom = new JSDOM('', { url: `${origin}/`, runScripts: 'outside-only', pretendToBeVisual: true });
  const { window } = dom;
  if (window.document.readyState !== 'complete')
    await new Promise<void>((loaded) => window.addEventListener('load', loaded));
  const sockets = new Set<WebSocket>();
  window.WebSocket = class extends BrowserWebSocket {
    constructor(url: string) {
      super(url);
      sockets.add(this);
      this.on('close', () => sockets.delete(this));
    }
  };
  window.report = report;
  for (const script of scripts) window.eval(script);
  return {
    async call(method, args) {
      const run = (window.classic as ClassicAgent)[method] as (...given: unknown[]) => unknown;
      try {
        return copy(await run(...(copy(args) as unknown[]))) as never;
      } catch (error) {
        // The window has an Error of its own.
        throw new Error((error as Error).message, { cause: error });
      }
    },
    close() {
      for (const socket of sockets) socket.terminate();
      window.close();
    },
  };
};

/** A page and who is told its events. A page is used again: a new one takes a second. */
interface PooledPage {
  readonly page: Page;
  report: (json: string) => void;
}

const idlePages = new WeakMap<Browser, PooledPage[]>();

/** Windows in Chromium. */
export const inChromium =
  (browser: Browser): MakeHost =>
  async (origin, report) => {
    const idle = idlePages.get(browser) ?? [];
    idlePages.set(browser, idle);
    const pooled = idle.pop() ?? (await newPage(browser));
    const { page } = pooled;
    pooled.report = report;
    // A page that the browser has not fetched from this machine itself may open no socket to it.
    await page.goto(`${origin}/a-page`);
    await page.addScriptTag({ content: scripts.join('\n;') });
    return {
      async call(method, args) {
        const given = JSON.stringify(args);
        const answer = await page.evaluate(
          `Promise.resolve(window.classic.${method}(...${given})).then((value) => JSON.stringify(value))`,
        );
        return (answer === undefined ? undefined : JSON.parse(answer as string)) as never;
      },
      async close() {
        pooled.report = () => undefined;
        await page.goto('about:blank');
        idle.push(pooled);
      },
    };
  };

async function newPage(browser: Browser): Promise<PooledPage> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const pooled: PooledPage = { page, report: () => undefined };
  await page.exposeFunction('report', (json: string) => pooled.report(json));
  return pooled;
}

/** A value as it crosses into a window and out of it. */
function copy(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
