import { createUser } from '@hubline/core';
import type { AuthenticationRequest, HubPipelineModule, HubServer, User } from '@hubline/core';
import { MemoryNetwork, type MemoryResponse } from '@hubline/core/internal/testing/memory-network.js';
import { settle, testServer, type TestServer, type TestServerOptions } from '@hubline/core/testing';
import { expect } from 'chai';
import type { WebSocket } from 'ws';
import { Recorder } from './recorder.js';
import { recordingLogger, type LogLine } from './servers.js';
import { defaultWaitMs, within } from './within.js';

/** Members of a query; `undefined` leaves one out that would be there. */
export type Members = Readonly<Record<string, string | undefined>>;

/** The user that the header `x-user` names; its `x-roles` are separated by commas. */
export function userOfHeaders({ headers }: AuthenticationRequest): User | undefined {
  const { 'x-user': id, 'x-roles': roles } = headers;
  if (typeof id !== 'string') return undefined;
  return createUser({ id, roles: typeof roles === 'string' ? roles.split(',') : [] });
}

/** A request that was refused, as HTTP said it. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly body: string,
  ) {
    super(`${status} ${body}`);
  }
}

/** How a WebSocket was closed. */
export interface Closing {
  readonly code: number;
}

/** A WebSocket on which a test says what it likes. */
export class RawSocket {
  /** Frames of the server, as texts. */
  readonly frames = new Recorder<string>('the frames');
  /** Pings of the server. */
  pings = 0;
  private readonly closing: Promise<Closing>;

  private constructor(
    readonly webSocket: WebSocket,
    /** The server's end of the stream. */
    readonly serverSide: NodeJS.EventEmitter & { readonly destroyed: boolean },
  ) {
    webSocket.on('message', (data) => this.frames.add((data as Buffer).toString('utf8')));
    webSocket.on('ping', () => this.pings++);
    this.closing = new Promise((resolve) => {
      webSocket.on('close', (code) => resolve({ code }));
    });
  }

  /** Rejects with `Refused` if the server does. */
  static async open(webSocket: WebSocket, serverSide: RawSocket['serverSide']): Promise<RawSocket> {
    const socket = new RawSocket(webSocket, serverSide);
    const opened = new Promise<void>((resolve, reject) => {
      webSocket.once('open', resolve);
      webSocket.on('error', reject);
      webSocket.once('unexpected-response', (_request, response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        response.on('end', () => reject(new Refused(response.statusCode ?? 0, body)));
      });
    });
    await within(opened, defaultWaitMs, 'the answer to an upgrade');
    return socket;
  }

  /** Texts are sent as text frames, bytes as binary ones, everything else as JSON. */
  send(message: unknown): void {
    const raw = typeof message === 'string' || Buffer.isBuffer(message);
    this.webSocket.send(raw ? message : JSON.stringify(message));
  }

  /** The first frame that `wanted` accepts, read as JSON. */
  async message(wanted: (message: Record<string, unknown>) => boolean, what: string): Promise<Record<string, unknown>> {
    const read = (text: string) => JSON.parse(text) as Record<string, unknown>;
    return read(await this.frames.find((text) => wanted(read(text)), what));
  }

  /** The answer to the call with this id. */
  answer(id: string): Promise<Record<string, unknown>> {
    return this.message(({ I }) => I === id, `the answer to call ${id}`);
  }

  /** The messages in all envelopes so far. */
  get received(): readonly { readonly M: string; readonly A: readonly unknown[] }[] {
    return this.frames.items.flatMap((text) => (JSON.parse(text) as { M?: [] }).M ?? []);
  }

  closed(): Promise<Closing> {
    return within(this.closing, defaultWaitMs, 'the end of a WebSocket');
  }

  /** Goes without a word. */
  async drop(): Promise<void> {
    this.webSocket.terminate();
    await this.closed();
    await settle();
  }
}

/** What a classic client holds, and what a test may change of it. */
export class RawClassic {
  token = '';
  id = '';
  /** The newest cursor and groups token of all sockets. */
  cursor: string | undefined;
  groupsToken: string | undefined;

  constructor(
    private readonly app: RawApp,
    readonly hubs: readonly string[],
    readonly headers: Readonly<Record<string, string>>,
  ) {}

  async negotiate(members: Members = {}): Promise<this> {
    const { status, body } = await this.app.request('GET', this.path('negotiate', members), this.headers);
    if (status !== 200) throw new Refused(status, body);
    const answer = JSON.parse(body) as { ConnectionToken: string; ConnectionId: string };
    this.token = answer.ConnectionToken;
    this.id = answer.ConnectionId;
    return this;
  }

  async connect(members: Members = {}): Promise<RawSocket> {
    const socket = await this.open('connect', members);
    await socket.message(({ S }) => S === 1, 'the init message');
    return socket;
  }

  /** Negotiates, connects and confirms. */
  async start(members: Members = {}): Promise<RawSocket> {
    await this.negotiate(members);
    const socket = await this.connect(members);
    const { status, body } = await this.get('start', members);
    if (status !== 200) throw new Refused(status, body);
    return socket;
  }

  /** Comes back with what the client holds. */
  reconnect(members: Members = {}): Promise<RawSocket> {
    return this.open('reconnect', { messageId: this.cursor, groupsToken: this.groupsToken, ...members });
  }

  async open(suffix: string, members: Members = {}): Promise<RawSocket> {
    const socket = await this.app.socket(this.path(suffix, members), this.headers);
    const note = (text: string): void => {
      const { C, G } = JSON.parse(text) as { C?: string; G?: string };
      this.cursor = C ?? this.cursor;
      this.groupsToken = G ?? this.groupsToken;
    };
    for (const text of socket.frames.items) note(text);
    socket.webSocket.on('message', (data) => note((data as Buffer).toString('utf8')));
    return socket;
  }

  get(suffix: string, members: Members = {}): Promise<MemoryResponse> {
    return this.app.request('GET', this.path(suffix, members), this.headers);
  }

  async abort(): Promise<void> {
    const { status } = await this.app.request('POST', this.path('abort'), this.headers);
    expect(status).to.equal(200);
    await settle();
  }

  path(suffix: string, members: Members = {}): string {
    const all: Members = {
      transport: 'webSockets',
      clientProtocol: '2.1',
      connectionToken: this.token === '' ? undefined : this.token,
      connectionData: JSON.stringify(this.hubs.map((name) => ({ name }))),
      ...members,
    };
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return `/signalr/${suffix}?${new URLSearchParams(given).toString()}`;
  }
}

/** A server in memory with a virtual clock, requests that a test writes itself, and a log that it can read. */
export class RawApp implements AsyncDisposable {
  readonly server: TestServer;
  readonly log = new Recorder<LogLine>('the log');
  private readonly network: MemoryNetwork;

  constructor(options: TestServerOptions) {
    this.server = testServer({ authenticate: userOfHeaders, logger: recordingLogger(this.log), ...options });
    this.network = new MemoryNetwork(this.server);
  }

  get clock() {
    return this.server.clock;
  }

  /** A classic client that has not done anything yet. */
  classic(hubs: readonly string[], headers: Readonly<Record<string, string>> = {}): RawClassic {
    return new RawClassic(this, hubs, headers);
  }

  request(method: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<MemoryResponse> {
    return within(this.network.request(method, path, headers), defaultWaitMs, `the answer to ${method} ${path}`);
  }

  socket(path: string, headers: Readonly<Record<string, string>> = {}): Promise<RawSocket> {
    const { socket, serverSide } = this.network.webSocket(path, headers);
    return RawSocket.open(socket as unknown as WebSocket, serverSide);
  }

  /** The codes of the errors that were logged, and of what caused them. */
  get loggedCodes(): readonly string[] {
    return this.log.items.flatMap(({ details }) => codesOf((details as { error?: unknown }).error));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.network.close();
  }
}

function codesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const { code } = error as { code?: unknown };
  return [...(typeof code === 'string' ? [code] : []), ...codesOf(error.cause)];
}

/** A server in memory, to be disposed with `await using`. */
export const rawApp = (options: TestServerOptions): RawApp => new RawApp(options);

/** What a server holds of its clients. */
export function heldBy(server: HubServer) {
  const { registry, bus } = server['dispatcher'].ground;
  return {
    connections: server.connectionCount,
    topics: (bus as typeof bus & { readonly topicCount: number }).topicCount,
    protocols: [...registry.protocolsInUse()].length,
    users: registry['byUser'].size,
  };
}

/** Everything that clients have caused is gone again. */
export function expectNothingHeld(server: HubServer): void {
  expect(heldBy(server)).to.deep.equal({ connections: 0, topics: 0, protocols: 0, users: 0 });
}

/** A module that writes down the events of connections, when they are over. */
export function eventRecorder(): HubPipelineModule & { readonly events: string[] } {
  const events: string[] = [];
  return {
    name: 'event-recorder',
    events,
    async connect(_context, next) {
      await next();
      events.push('connect');
    },
    async reconnect({ resume }, next) {
      await next();
      events.push(resume.newLife ? 'reconnect anew' : 'reconnect');
    },
    async disconnect({ reason }, next) {
      await next();
      events.push(`disconnect ${reason}`);
    },
  };
}
