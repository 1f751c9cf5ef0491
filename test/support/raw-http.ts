import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { atTestEnd } from './cleanup.js';
import { localhost } from './servers.js';
import { defaultWaitMs, within } from './within.js';

/** An answer in full. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request as a test wants it. */
export interface RawRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Makes a request on a connection of its own. */
export function request(port: number, path: string, { method = 'GET', headers = {}, body }: RawRequest = {}) {
  const answer = new Promise<RawAnswer>((resolve, reject) => {
    const outgoing = httpRequest({ host: localhost, port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
  return within(answer, defaultWaitMs, `an answer to ${method} ${path}`);
}

export const post = (port: number, path: string, headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> =>
  request(port, path, { method: 'POST', headers });

/** What a WebSocket client sends to become one. */
export const upgradeHeaders: Readonly<Record<string, string>> = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** A TCP connection on which a request is written by hand, so that it can be left in the middle. */
export class RawConnection {
  private received = '';

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (this.received += chunk));
    socket.on('error', () => undefined);
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: localhost, allowHalfOpen: true });
    atTestEnd(() => socket.destroy());
    await within(once(socket, 'connect'), defaultWaitMs, 'a TCP connection');
    return new RawConnection(socket);
  }

  /** Opens one, and writes the head of a request on it. */
  static async request(
    port: number,
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<RawConnection> {
    const connection = await RawConnection.open(port);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    connection.socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${localhost}:${port}\r\n${lines.join('')}\r\n`);
    return connection;
  }

  static upgrade(port: number, path: string, headers: Readonly<Record<string, string>> = {}): Promise<RawConnection> {
    return RawConnection.request(port, 'GET', path, { ...upgradeHeaders, ...headers });
  }

  /** Everything that has come so far. */
  get text(): string {
    return this.received;
  }

  /** The head of the answer: its first line, and its headers in lower case. */
  async head(): Promise<{ readonly status: number; readonly headers: ReadonlyMap<string, string> }> {
    while (!this.received.includes('\r\n\r\n'))
      await within(once(this.socket, 'data'), defaultWaitMs, `the head of an answer (so far: ${this.received})`);
    const [first = '', ...lines] = this.received.slice(0, this.received.indexOf('\r\n\r\n')).split('\r\n');
    const headers = lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    });
    return { status: Number(first.split(' ')[1]), headers: new Map(headers) };
  }

  /** Everything that came, when the server has ended the connection. */
  async ended(): Promise<string> {
    if (!this.socket.readableEnded && !this.socket.destroyed)
      await within(once(this.socket, 'end'), defaultWaitMs, `the end of a connection (so far: ${this.received})`);
    return this.received;
  }

  /** Goes away as a process that is killed does. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Goes away politely; what the server still writes is read. */
  finish(): void {
    this.socket.end();
  }
}
