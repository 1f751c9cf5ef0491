import { createUser, type User } from '../security/user.js';
import { describeHub } from '../hubs/hub-descriptor.js';
import type { HubType } from '../hubs/hub-type.js';
import type { Hub } from '../hubs/hub.js';
import type { Logger } from '../logger.js';
import { defaults } from '../options.js';
import type { HubPipelineModule } from '../pipeline/hub-pipeline-module.js';
import type { HubServerOptions } from '../server/hub-server-options.js';
import { HubServer } from '../server/hub-server.js';
import { MemoryNetwork } from './memory-network.js';
import { TestClient } from './test-client.js';
import { VirtualClock } from './virtual-clock.js';

/** What a test's server is made with: the options of a server, and pipeline modules to add. */
export interface TestServerOptions extends HubServerOptions {
  readonly modules?: readonly HubPipelineModule[];
  readonly clock?: VirtualClock;
}

/** Who a test's client is. */
export interface TestClientOptions {
  /** An id is a user without roles. Default: nobody known. */
  readonly user?: User | string | undefined;
  /** Further hubs that the client listens to. */
  readonly hubs?: readonly HubType[];
}

/** A line of the server's log. */
export interface LoggedLine {
  readonly level: keyof Logger;
  readonly details: object;
  readonly message: string;
}

const userHeader = 'x-test-user';

/** A server in memory: no port, no sockets, and time that stands still until the test moves `clock`. */
export class TestServer extends HubServer implements AsyncDisposable {
  readonly clock: VirtualClock;
  /** What the server has logged, oldest first: the causes of what clients are told in general words stand here. */
  readonly log: readonly LoggedLine[];
  private readonly network: MemoryNetwork;
  private readonly disconnectTimeoutMs: number;
  private readonly users: Map<string, User>;

  constructor({ modules = [], ...options }: TestServerOptions) {
    const clock = options.clock ?? new VirtualClock();
    const users = new Map<string, User>();
    const log: LoggedLine[] = [];
    super({
      keys: ['the key of a test'],
      logger: notingLogger(log),
      authenticate: ({ headers }) => users.get(String(headers[userHeader])),
      ...options,
      clock,
    });
    this.clock = clock;
    this.log = log;
    this.users = users;
    this.disconnectTimeoutMs = options.disconnectTimeoutMs ?? defaults.disconnectTimeoutMs;
    this.pipeline.add(...modules);
    this.network = new MemoryNetwork(this);
  }

  /** A client that is connected to a hub. Rejects with `RequestRefused`. */
  connect<H extends Hub>(hub: HubType<H>, options: TestClientOptions = {}): Promise<TestClient<H>> {
    return this.client(hub, options).start();
  }

  /** A client that is not connected yet. */
  client<H extends Hub>(hub: HubType<H>, { user, hubs = [] }: TestClientOptions = {}): TestClient<H> {
    const headers: Record<string, string> = {};
    if (user !== undefined) {
      const known = typeof user === 'string' ? createUser({ id: user }) : user;
      headers[userHeader] = `${this.users.size}`;
      this.users.set(`${this.users.size}`, known);
    }
    const { network, clock, disconnectTimeoutMs } = this;
    const names = [hub, ...hubs].map((type) => describeHub(type).name);
    return new TestClient<H>({ network, clock, hubs: names, headers, disconnectTimeoutMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ graceMs: 0 });
    this.network.close();
  }
}

function notingLogger(log: LoggedLine[]): Logger {
  const note = (level: keyof Logger) => (details: object, message: string) =>
    void log.push({ level, details, message });
  return {
    trace: note('trace'),
    debug: note('debug'),
    info: note('info'),
    warn: note('warn'),
    error: note('error'),
    fatal: note('fatal'),
  };
}

/**
 * A server for a test, in memory. Dispose it with `await using`.
 *
 * @example
 * ```ts
 * import { strict as assert } from 'node:assert';
 * import { hub, Hub, hubMethod, HubException } from '@hubline/core';
 * import { failure, testServer } from '@hubline/core/testing';
 *
 * @hub('echo') class EchoHub extends Hub { @hubMethod() echo(text: string) { return text; } }
 *
 * export async function aModuleRefuses(): Promise<void> {
 *   const quiet = { name: 'quiet', invoke() { throw new HubException('Not now.'); } };
 *   await using app = testServer({ hubs: [EchoHub], modules: [quiet] });
 *   const ann = await app.connect(EchoHub, { user: 'ann' });
 *   assert.equal((await failure(ann.invoke('echo', 'a'))).message, 'Not now.');
 * }
 * ```
 */
export function testServer(options: TestServerOptions): TestServer {
  return new TestServer(options);
}
