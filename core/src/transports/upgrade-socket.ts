import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';

/** What a client may send before its WebSocket has been accepted. */
const maxEarlyBytes = 64 * 1024;

let arrivals = 0;

/**
 * The socket of an upgrade while it is decided whether it becomes a WebSocket. It listens from its first moment: a
 * client that resets or ends the socket while a stage runs is noticed, and never ends the process.
 */
export class UpgradeSocket {
  /** Upgrades in the order in which they came. */
  readonly arrival = ++arrivals;
  private early: Buffer[];
  private earlyBytes: number;
  private over = false;
  private whenGone: (() => void) | undefined;

  constructor(
    private readonly request: IncomingMessage,
    private readonly socket: Duplex,
    head: Buffer,
  ) {
    socket.on('error', this.leave);
    socket.on('end', this.leave);
    socket.on('close', this.leave);
    socket.on('data', this.keep);
    this.early = [head];
    this.earlyBytes = head.length;
    socket.resume();
  }

  /** Whether the client has left. */
  get isGone(): boolean {
    return this.over;
  }

  /** Calls `callback` when the client leaves before it has an answer; at once if it has left. */
  onGone(callback: () => void): void {
    if (this.over) callback();
    else this.whenGone = callback;
  }

  /** Answers 101. Nothing happens if the client has left; one whose handshake is none is refused, and has left then. */
  accept(server: WebSocketServer, opened: (socket: WebSocket) => void): void {
    if (this.over) return;
    const { whenGone } = this;
    this.release();
    let isOpen = false;
    server.handleUpgrade(this.request, this.socket, Buffer.concat(this.early), (socket) => {
      isOpen = true;
      opened(socket);
    });
    if (!isOpen) whenGone?.();
  }

  /** Answers in full, and closes. */
  refuse(status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
    if (this.over) return;
    this.over = true;
    this.whenGone = undefined;
    this.early = [];
    this.socket.off('data', this.keep);
    this.socket.resume();
    const lines = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      'Connection: close',
      'Content-Type: text/plain; charset=utf-8',
      'X-Content-Type-Options: nosniff',
      `Content-Length: ${Buffer.byteLength(text)}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    this.socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`, () => this.socket.destroy());
  }

  private readonly keep = (chunk: Buffer): void => {
    this.early.push(chunk);
    this.earlyBytes += chunk.length;
    if (this.earlyBytes > maxEarlyBytes) this.socket.destroy();
  };

  private readonly leave = (): void => {
    if (this.over) return;
    this.over = true;
    this.early = [];
    this.socket.destroy();
    this.whenGone?.();
  };

  private release(): void {
    this.over = true;
    this.whenGone = undefined;
    this.socket.off('data', this.keep);
    this.socket.off('end', this.leave);
    this.socket.off('close', this.leave);
    // The listener for errors stays until the WebSocket has its own; a second one does no harm.
  }
}
