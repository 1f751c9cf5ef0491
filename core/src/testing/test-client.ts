import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { HubMethods } from '../hubs/hub-type.js';
import type { Hub } from '../hubs/hub.js';
import { CallFailed, RequestRefused } from './client-errors.js';
import { within } from './failure.js';
import type { ClientSocket, MemoryNetwork, MemoryWebSocket } from './memory-network.js';
import { settle, type VirtualClock } from './virtual-clock.js';

/** Real time that anything may take before a test fails. */
const deadlineMs = 2_000;

/** A call of the server that the client has received. */
export interface ReceivedCall {
  readonly method: string;
  readonly arguments: readonly unknown[];
  readonly state: Readonly<Record<string, unknown>> | undefined;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
  readonly progress: unknown[];
}

type MethodsOf<H extends Hub> = HubMethods<H>;
type Result<Method> = Method extends (...args: never[]) => infer R ? Awaited<R> : never;
type Arguments<Method> = Method extends (...args: infer A) => unknown ? A : never;

/** What a client is made with. */
export interface TestClientSetup {
  readonly network: MemoryNetwork;
  readonly clock: VirtualClock;
  readonly hubs: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly disconnectTimeoutMs: number;
}

/**
 * A client in memory. It speaks the classic protocol to the server's real endpoints, over streams instead of sockets.
 * `app.connect(ChatHub)` makes one.
 *
 * @example
 * ```ts
 * import { hub, Hub, hubMethod } from '@hubline/core';
 * import { testServer } from '@hubline/core/testing';
 *
 * @hub('echo') class EchoHub extends Hub { @hubMethod() echo(text: string) { return text; } }
 *
 * export async function echoed(): Promise<string> {
 *   await using app = testServer({ hubs: [EchoHub] });
 *   const ann = await app.connect(EchoHub, { user: 'ann' });
 *   return ann.invoke('echo', 'hello');
 * }
 * ```
 */
export class TestClient<H extends Hub> {
  /** Everything that the server has called, oldest first. */
  readonly received: ReceivedCall[] = [];
  /** The state that travels with calls; what the server changes is merged into it. */
  readonly state: Record<string, unknown> = {};
  /** What the server told the client when it sent it away. */
  stoppedWith: string | undefined;
  /** The groups token that the server has last given. A test may put another in its place. */
  groupsToken: string | undefined;
  /** The place up to which the client has received. A test may put another in its place. */
  cursor: string | undefined;
  private connectionId = '';
  private connectionToken = '';
  private connection: MemoryWebSocket | undefined;
  private initialized: (() => void) | undefined;
  private calls = 0;
  private taken = 0;
  private readonly pending = new Map<string, Pending>();
  private waiting: (() => void)[] = [];

  constructor(private readonly setup: TestClientSetup) {}

  /** The connection's public id. */
  get id(): string {
    return this.connectionId;
  }

  /** Whether a transport is there. */
  get isConnected(): boolean {
    return this.connection !== undefined;
  }

  /** Negotiates, opens a transport and confirms the connection. Rejects with `RequestRefused`. */
  async start(): Promise<this> {
    const { body } = await this.request('GET', 'negotiate', {});
    const { ConnectionId, ConnectionToken } = JSON.parse(body) as { ConnectionId: string; ConnectionToken: string };
    this.connectionId = ConnectionId;
    this.connectionToken = ConnectionToken;
    const initialized = new Promise<void>((resolve) => (this.initialized = resolve));
    await this.open('connect', {});
    await this.soon(initialized, 'the init message');
    await this.confirm();
    return this;
  }

  /** Confirms the connection, as `start` does after the transport is open. Rejects with `RequestRefused`. */
  async confirm(): Promise<void> {
    await this.request('GET', 'start', {});
  }

  /** Calls a hub method. Rejects with `CallFailed`. */
  invoke<Name extends keyof MethodsOf<H> & string>(
    name: Name,
    ...args: Arguments<MethodsOf<H>[Name]>
  ): Promise<Result<MethodsOf<H>[Name]>> {
    return this.call(name, ...args) as Promise<Result<MethodsOf<H>[Name]>>;
  }

  /** Calls anything; not checked by the compiler. Rejects with `CallFailed`. */
  call(name: string, ...args: readonly unknown[]): Promise<unknown> {
    return this.callHub(this.setup.hubs[0] ?? '', name, args);
  }

  /** Calls a method of a hub by its name. Rejects with `CallFailed`. */
  callHub(hub: string, name: string, args: readonly unknown[], progress: unknown[] = []): Promise<unknown> {
    const { socket } = this.required();
    const id = String(this.calls++);
    const state = Object.keys(this.state).length === 0 ? undefined : this.state;
    const answer = new Promise<unknown>((resolve, reject) => this.pending.set(id, { resolve, reject, progress }));
    socket.send(JSON.stringify({ H: hub, M: name, A: args, I: Number(id), S: state }));
    return this.soon(answer, `the answer of '${hub}.${name}'`);
  }

  /** The arguments of the next call of this name that has not been taken yet. */
  async next(method: string): Promise<readonly unknown[]> {
    const find = () => this.received.findIndex((call, index) => index >= this.taken && call.method === method);
    let index = find();
    while (index < 0) {
      const more = new Promise<void>((resolve) => this.waiting.push(resolve));
      await this.soon(more, `a call of '${method}'`);
      index = find();
    }
    this.taken = index + 1;
    return (this.received[index] as ReceivedCall).arguments;
  }

  /** The calls of this name, as lists of arguments. */
  all(method: string): readonly (readonly unknown[])[] {
    return this.received.filter((call) => call.method === method).map((call) => call.arguments);
  }

  /** Loses the transport without a word, as a network does. Settles when the server has noticed. */
  async drop(): Promise<void> {
    const { socket, serverSide } = this.required();
    this.connection = undefined;
    const closed = serverSide.closed ? Promise.resolve() : once(serverSide, 'close');
    socket.terminate();
    await closed;
    await settle();
    this.failPending('The connection was lost.');
  }

  /** Comes back with what the client holds: its cursor and its groups token. Rejects with `RequestRefused`. */
  async resume(): Promise<void> {
    await this.open('reconnect', {
      ...(this.cursor !== undefined && { messageId: this.cursor }),
      ...(this.groupsToken !== undefined && { groupsToken: this.groupsToken }),
    });
    await settle();
  }

  /** Drops, and stays away until the server has given the connection up. */
  async expire(): Promise<void> {
    if (this.connection !== undefined) await this.drop();
    await this.setup.clock.advance(this.setup.disconnectTimeoutMs + 2_000);
  }

  /** Stops for good. */
  async stop(): Promise<void> {
    this.connection?.socket.close();
    this.connection = undefined;
    await this.request('POST', 'abort', {});
    await settle();
  }

  private async open(suffix: string, members: Readonly<Record<string, string>>): Promise<void> {
    const connection = this.setup.network.webSocket(this.path(suffix, members), this.setup.headers);
    const { socket } = connection;
    const opened = new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('unexpected-response', (_request: unknown, response: IncomingMessage) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        response.on('end', () => reject(new RequestRefused(response.statusCode ?? 0, body)));
      });
    });
    socket.on('message', (data: Buffer) => this.receive(data.toString('utf8')));
    socket.on('close', () => this.forget(socket));
    await this.soon(opened, `the answer to '${suffix}'`);
    this.connection = connection;
    this.calls = 0;
  }

  private forget(socket: ClientSocket): void {
    if (this.connection?.socket !== socket) return;
    this.connection = undefined;
    this.failPending('The connection was closed by the server.');
    this.wake();
  }

  private receive(text: string): void {
    const message = JSON.parse(text) as Record<string, unknown>;
    if (message['I'] !== undefined) this.settleCall(message);
    else {
      if (typeof message['E'] === 'string') this.stoppedWith = message['E'];
      if (typeof message['G'] === 'string') this.groupsToken = message['G'];
      if (typeof message['C'] === 'string') this.cursor = message['C'];
      for (const item of (message['M'] ?? []) as Record<string, unknown>[]) this.takeMessage(item);
      if (message['S'] === 1) this.initialized?.();
    }
    this.wake();
  }

  private takeMessage(item: Record<string, unknown>): void {
    const progress = item['P'] as { readonly I: string; readonly D: unknown } | undefined;
    const state = item['S'] as Record<string, unknown> | undefined;
    if (state !== undefined) Object.assign(this.state, state);
    if (progress !== undefined) this.pending.get(progress.I)?.progress.push(progress.D);
    else this.received.push({ method: String(item['M']), arguments: item['A'] as unknown[], state });
  }

  private settleCall(message: Record<string, unknown>): void {
    const id = String(message['I']);
    const call = this.pending.get(id);
    this.pending.delete(id);
    if (message['S'] !== undefined) Object.assign(this.state, message['S']);
    if (typeof message['E'] === 'string')
      call?.reject(new CallFailed(message['E'], message['H'] === true, message['D']));
    else call?.resolve(message['R'] ?? null);
  }

  private failPending(why: string): void {
    for (const call of this.pending.values()) call.reject(new Error(why));
    this.pending.clear();
  }

  private wake(): void {
    for (const waiting of this.waiting.splice(0)) waiting();
  }

  private required(): MemoryWebSocket {
    if (this.connection === undefined) throw new Error('The client has no transport. Call start() or resume() first.');
    return this.connection;
  }

  private async request(method: string, suffix: string, members: Readonly<Record<string, string>>) {
    const { network, headers } = this.setup;
    const response = await this.soon(
      network.request(method, this.path(suffix, members), headers),
      `the answer to '${suffix}'`,
    );
    if (response.status !== 200) throw new RequestRefused(response.status, response.body);
    return response;
  }

  private path(suffix: string, members: Readonly<Record<string, string>>): string {
    const query = new URLSearchParams({
      clientProtocol: '2.1',
      transport: 'webSockets',
      connectionData: JSON.stringify(this.setup.hubs.map((name) => ({ name }))),
      ...(this.connectionToken !== '' && { connectionToken: this.connectionToken }),
      ...members,
    });
    return `/signalr/${suffix}?${query.toString()}`;
  }

  private soon<T>(promise: Promise<T>, what: string): Promise<T> {
    return within(promise, deadlineMs, () => {
      const came = this.received.map(
        ({ method, arguments: args }) => `${method}(${JSON.stringify(args).slice(1, -1)})`,
      );
      return `Waited ${deadlineMs} ms for ${what}. Received so far: ${came.join(', ') || 'nothing'}.`;
    });
  }
}
