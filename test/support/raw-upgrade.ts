import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { atTestEnd } from './cleanup.js';
import { localhost } from './servers.js';
import { defaultWaitMs, within } from './within.js';

/** A TCP socket on which a test writes HTTP by hand. */
export class RawUpgrade {
  private text = '';
  private readonly ending: Promise<string>;

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => (this.text += String(chunk)));
    socket.on('error', () => undefined);
    this.ending = new Promise((resolve) => {
      socket.on('close', () => resolve(this.text));
    });
    atTestEnd(() => socket.destroy());
  }

  /** Connects, and asks for a WebSocket; a header that is `undefined` is left out. */
  static async open(
    port: number,
    path: string,
    headers: Readonly<Record<string, string | undefined>> = {},
    method = 'GET',
  ): Promise<RawUpgrade> {
    const raw = await RawUpgrade.connect(port);
    const all: Readonly<Record<string, string | undefined>> = {
      Host: `${localhost}:${port}`,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      ...headers,
    };
    const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
    raw.socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    return raw;
  }

  static async connect(port: number): Promise<RawUpgrade> {
    const socket = connect({ port, host: localhost });
    const raw = new RawUpgrade(socket);
    await within(new Promise<void>((resolve) => socket.once('connect', resolve)), defaultWaitMs, 'a TCP connection');
    return raw;
  }

  /** What has come so far. */
  get received(): string {
    return this.text;
  }

  /** Everything that came, when the server has closed. */
  closed(): Promise<string> {
    return within(this.ending, defaultWaitMs, 'the end of a TCP connection');
  }

  /** Waits for the head of the answer; gives its status. */
  async status(): Promise<number> {
    const head = new Promise<void>((resolve) => {
      const look = () => {
        if (this.text.includes('\r\n')) resolve();
      };
      this.socket.on('data', look);
      this.socket.on('close', resolve);
      look();
    });
    await within(head, defaultWaitMs, 'the head of an answer');
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.text)?.[1] ?? 0);
  }
}
