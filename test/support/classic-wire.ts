import { request } from 'node:http';
import { WebSocket, type RawData } from 'ws';
import { atTestEnd } from './cleanup.js';
import { Recorder } from './recorder.js';
import { defaultWaitMs, within } from './within.js';

/** Members of a query; `undefined` is left out. */
export type Query = Readonly<Record<string, string | undefined>>;

/** An answer over plain HTTP. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** What classic servers put around messages. */
export interface Envelope {
  readonly C?: string;
  readonly S?: number;
  readonly G?: string;
  readonly E?: string;
  readonly M?: readonly WireMessage[];
  /** The members of an answer to a call. */
  readonly I?: string;
  readonly R?: unknown;
}

/** An element of `M`. */
export interface WireMessage {
  readonly H?: string;
  readonly M?: string;
  readonly A?: readonly unknown[];
  readonly S?: unknown;
  readonly I?: string;
  readonly P?: { readonly I: string; readonly D: unknown };
}

/** An upgrade that was answered with a status. */
export class UpgradeRefused extends Error {
  constructor(
    readonly status: number,
    readonly body: string,
  ) {
    super(`The upgrade was answered with ${status}: ${body}`);
  }
}

/** A WebSocket of the classic protocol, byte for byte. */
export class WireSocket {
  /** Every text frame, as it came. */
  readonly frames = new Recorder<string>('the frames');
  /** How it was closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;

  constructor(readonly socket: WebSocket) {
    socket.on('message', (data: RawData) => this.frames.add((data as Buffer).toString('utf8')));
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on('error', () => undefined);
    atTestEnd(() => socket.terminate());
  }

  /** Every frame so far, read. */
  get envelopes(): Envelope[] {
    return this.frames.items.map((frame) => JSON.parse(frame) as Envelope);
  }

  /** The messages of hubs so far, in order. */
  get messages(): WireMessage[] {
    return this.envelopes.flatMap(({ M }) => M ?? []);
  }

  /** What a client presents when it comes back: the last cursor, and the last groups token. */
  get carried(): { readonly messageId: string | undefined; readonly groupsToken: string | undefined } {
    const envelopes = this.envelopes.reverse();
    return {
      messageId: envelopes.find(({ C }) => C !== undefined)?.C,
      groupsToken: envelopes.find(({ G }) => G !== undefined)?.G,
    };
  }

  send(call: unknown): void {
    this.socket.send(typeof call === 'string' ? call : JSON.stringify(call));
  }

  /** The `nth` frame (from 1), as soon as it is there. */
  async frame(nth: number): Promise<string> {
    return (await this.frames.atLeast(nth))[nth - 1] as string;
  }

  /** The answer to a call, as soon as it is there; the `nth` one if its id was used several times. */
  answer(id: string | number, nth = 1): Promise<string> {
    const isIt = (frame: string) => (JSON.parse(frame) as Envelope).I === String(id);
    return this.frames.find(isIt, `answer ${nth} to call ${id}`, { nth });
  }

  /** Waits until a hub message with this first argument has come. */
  async message(first: unknown): Promise<void> {
    const isIt = ({ A }: WireMessage) => A?.[0] === first;
    await this.frames.until(() => this.messages.some(isIt), `the message ${JSON.stringify(first)}`);
  }

  closedWithin(ms = defaultWaitMs): Promise<{ readonly code: number; readonly reason: string }> {
    return within(this.closed, ms, 'the close of the socket');
  }

  /** Lets the server know nothing: the socket is cut. */
  cut(): void {
    this.socket.terminate();
  }
}

/** One connection of the classic protocol, spoken by hand. */
export class ClassicWire {
  token = '';
  id = '';

  constructor(
    readonly origin: string,
    /** Goes into every request that needs it. */
    readonly settings: { readonly protocol?: string; readonly hubs?: readonly string[]; readonly query?: Query } = {},
  ) {}

  /** A request. Its path is sent as it stands, and may bring a query of its own. */
  get(path: string, query: Query = {}, { method = 'GET' } = {}): Promise<WireAnswer> {
    const { hostname, port } = new URL(this.origin);
    const answer = new Promise<WireAnswer>((resolve, reject) => {
      const sent = request({ hostname, port, method, path: `${path}${queryText(query)}`, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end();
    });
    return within(answer, defaultWaitMs, `${method} ${path}`);
  }

  async negotiate(): Promise<this> {
    const answer = await this.get('/signalr/negotiate', this.query());
    if (answer.status !== 200) throw new Error(`negotiate was answered with ${answer.status}: ${answer.body}`);
    const { ConnectionToken, ConnectionId } = JSON.parse(answer.body) as Record<string, string>;
    this.token = ConnectionToken as string;
    this.id = ConnectionId as string;
    return this;
  }

  /** A WebSocket; rejects with `UpgradeRefused` if the server does not want it. */
  open(path: string, query: Query = {}): Promise<WireSocket> {
    const url = `${this.origin.replace(/^http/, 'ws')}${path}${queryText(query)}`;
    const socket = new WebSocket(url);
    // Listens before the upgrade is answered: the first frames come with the answer.
    const wire = new WireSocket(socket);
    const opened = new Promise<WireSocket>((resolve, reject) => {
      socket.on('open', () => resolve(wire));
      socket.on('error', reject);
      socket.on('unexpected-response', (_request, response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => reject(new UpgradeRefused(response.statusCode ?? 0, body)));
      });
    });
    return within(opened, defaultWaitMs, `the upgrade of ${path}`);
  }

  connect(more: Query = {}): Promise<WireSocket> {
    return this.open('/signalr/connect', this.query({ transport: 'webSockets', tid: '4', ...more }));
  }

  reconnect(more: Query = {}): Promise<WireSocket> {
    return this.open('/signalr/reconnect', this.query({ transport: 'webSockets', tid: '4', ...more }));
  }

  start(more: Query = {}): Promise<WireAnswer> {
    return this.get('/signalr/start', this.query({ transport: 'webSockets', ...more }));
  }

  abort(more: Query = {}): Promise<WireAnswer> {
    return this.get('/signalr/abort', this.query({ transport: 'webSockets', ...more }), { method: 'POST' });
  }

  /** Negotiates, connects and starts. */
  async begin(): Promise<WireSocket> {
    await this.negotiate();
    const socket = await this.connect();
    await socket.frame(1);
    const { status, body } = await this.start();
    if (status !== 200) throw new Error(`start was answered with ${status}: ${body}`);
    return socket;
  }

  /** What every request carries, and what is added to it or left out. */
  query(more: Query = {}): Record<string, string | undefined> {
    const { protocol = '2.1', hubs = ['rooms'], query = {} } = this.settings;
    return {
      clientProtocol: protocol,
      ...query,
      ...(this.token !== '' && { connectionToken: this.token }),
      connectionData: connectionData(hubs),
      ...more,
    };
  }
}

/** Hubs as the JavaScript client lists them. */
export const connectionData = (hubs: readonly string[]): string => JSON.stringify(hubs.map((name) => ({ name })));

function queryText(query: Query): string {
  const members = Object.entries(query).filter((member): member is [string, string] => member[1] !== undefined);
  const text = members.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
  return text === '' ? '' : `?${text}`;
}
