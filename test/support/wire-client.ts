import { once } from 'node:events';
import { WebSocket } from 'ws';
import { atTestEnd } from './cleanup.js';
import { post } from './raw-http.js';
import { Recorder } from './recorder.js';
import { localhost } from './servers.js';
import { defaultWaitMs, within } from './within.js';

/** Ends every message of ASP.NET Core's JSON. */
export const separator = '\u001e';

/** A WebSocket message as it came. */
export interface Frame {
  readonly text: string;
  readonly binary: boolean;
}

/** What a test wants of its client's WebSocket. */
export interface WireOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether pings of the WebSocket are answered. Default: yes. */
  readonly autoPong?: boolean;
}

/** An ASP.NET Core client that says exactly what a test tells it to. */
export class WireClient {
  readonly frames = new Recorder<Frame>('the frames');
  /** Single messages, without their separators. */
  readonly messages = new Recorder<string>('the messages');
  /** Pings of the WebSocket, not of the protocol. */
  readonly pings = new Recorder<string>('the pings of the WebSocket');
  private readonly whenClosed: Promise<{ readonly code: number; readonly reason: string }>;

  private constructor(readonly socket: WebSocket) {
    socket.on('error', () => undefined);
    socket.on('ping', (data: Buffer) => this.pings.add(data.toString()));
    socket.on('message', (data: Buffer, binary) => {
      const text = data.toString('utf8');
      this.frames.add({ text, binary });
      const parts = text.split(separator);
      // What stands behind the last separator is no message; there must be nothing.
      if (parts.pop() !== '') throw new Error(`A frame ends within a message: ${text}`);
      for (const part of parts) this.messages.add(part);
    });
    this.whenClosed = new Promise((resolve) =>
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    );
  }

  /** Opens a WebSocket, and says nothing on it. */
  static async open(port: number, path: string, options: WireOptions = {}): Promise<WireClient> {
    const socket = new WebSocket(`ws://${localhost}:${port}${path}`, { ...options, perMessageDeflate: false });
    atTestEnd(() => socket.terminate());
    const client = new WireClient(socket);
    await within(once(socket, 'open'), defaultWaitMs, `a WebSocket at ${path}`);
    return client;
  }

  /** Opens a WebSocket, and shakes hands. */
  static async connect(port: number, path: string, options: WireOptions = {}): Promise<WireClient> {
    const client = await WireClient.open(port, path, options);
    client.send({ protocol: 'json', version: 1 });
    await client.first((message) => message === '{}', 'the answer to the handshake');
    return client;
  }

  /** Sends each message in a frame of its own. */
  send(...messages: readonly (object | string)[]): void {
    for (const message of messages) this.socket.send(encode(message));
  }

  /** Sends several messages in one frame. */
  sendTogether(...messages: readonly (object | string)[]): void {
    this.socket.send(messages.map(encode).join(''));
  }

  /** Calls a method, and answers the completion as it came. */
  async invoke(target: string, args: readonly unknown[], invocationId = `id of ${target}`): Promise<string> {
    this.send({ type: 1, invocationId, target, arguments: args });
    return this.completion(invocationId);
  }

  /** The answer to a call. */
  completion(invocationId: string): Promise<string> {
    const wanted = `{"type":3,"invocationId":${JSON.stringify(invocationId)},`;
    return this.first((message) => message.startsWith(wanted), `the answer to call ${invocationId}`);
  }

  /** The first message of a kind, as soon as it is there. */
  first(wanted: (message: string) => boolean, what: string): Promise<string> {
    return this.messages.find(wanted, what);
  }

  /** Settles when everything that has been sent so far has been read by the server. */
  async roundTrip(): Promise<void> {
    const answered = once(this.socket, 'pong');
    this.socket.ping();
    await within(answered, defaultWaitMs, 'a pong');
  }

  /** How the WebSocket was closed. */
  closed(): Promise<{ readonly code: number; readonly reason: string }> {
    return within(this.whenClosed, defaultWaitMs, 'the end of the WebSocket');
  }
}

function encode(message: object | string): string {
  return `${typeof message === 'string' ? message : JSON.stringify(message)}${separator}`;
}

/** What negotiate answers. */
export interface NegotiateAnswer {
  readonly negotiateVersion: number;
  readonly connectionId: string;
  readonly connectionToken: string;
}

/** Negotiates version 1. */
export async function negotiate(port: number, path: string, headers: Readonly<Record<string, string>> = {}) {
  const { body } = await post(port, `${path}/negotiate?negotiateVersion=1`, headers);
  return JSON.parse(body) as NegotiateAnswer;
}
