import type { WebSocket } from 'ws';
import type { Heartbeat, HeartbeatTimer } from '../connections/heartbeat.js';

/** How a channel ended: the client closed it, or it was lost, or the client broke the rules of WebSockets or of size. */
export type ChannelEnd = 'client' | 'lost' | 'violation';

/** What a channel does for its owner, and what it tells. */
export interface ChannelHandlers {
  message(data: Buffer, binary: boolean): void;
  /** Called every `keepAliveMs`. */
  keepAlive(): void;
  /** Called once. */
  closed(how: ChannelEnd): void;
}

/** Times of a channel, in milliseconds. */
export interface ChannelTimes {
  readonly keepAliveMs: number;
  /** Without any frame, pongs counted, for half of this the client is sent a ping; for all of it, it is lost. */
  readonly silenceMs: number;
}

/** How long a client may take to answer a close frame. */
const closeTimeoutMs = 2_000;

const textFrame = { binary: false };

/** A WebSocket with its keep-alives and its watch over silence. */
export class WebSocketChannel {
  private lastFrameMs: number;
  private over = false;
  private paused = false;
  private keepAliveTimer: HeartbeatTimer;
  private silenceTimer: HeartbeatTimer;

  constructor(
    private readonly socket: WebSocket,
    private readonly heartbeat: Heartbeat,
    private readonly times: ChannelTimes,
    private readonly handlers: ChannelHandlers,
  ) {
    this.lastFrameMs = heartbeat.elapsedMs;
    // The WebSocket tells the client by itself what was wrong, and closes.
    socket.on('error', () => {
      if (!this.over) this.cutLater();
      this.finish('violation');
    });
    socket.on('close', (code) => this.finish(code === 1006 ? 'lost' : 'client'));
    socket.on('message', (data, binary) => {
      this.lastFrameMs = this.heartbeat.elapsedMs;
      if (!this.over) handlers.message(data as Buffer, binary);
    });
    const seen = (): void => {
      this.lastFrameMs = this.heartbeat.elapsedMs;
    };
    socket.on('ping', seen);
    socket.on('pong', seen);
    this.keepAliveTimer = this.keepAliveLater();
    this.silenceTimer = this.checkSilenceAfter(times.silenceMs / 2);
  }

  get isOpen(): boolean {
    return !this.over;
  }

  send(frame: string | Uint8Array): void {
    if (!this.over) this.socket.send(frame, textFrame);
  }

  pause(paused: boolean): void {
    if (this.over || paused === this.paused) return;
    this.paused = paused;
    if (paused) this.socket.pause();
    else {
      // What the client sent meanwhile is only read now.
      this.lastFrameMs = this.heartbeat.elapsedMs;
      this.socket.resume();
    }
  }

  /** Closes with a close frame; nothing of the client is handed on any more. */
  close(code: number): void {
    if (this.over) return;
    this.finish('lost');
    this.socket.resume();
    this.socket.close(code);
    this.cutLater();
  }

  /** Ends it without a word. */
  terminate(): void {
    this.finish('lost');
    this.socket.terminate();
  }

  private cutLater(): void {
    this.heartbeat.after(closeTimeoutMs, () => this.socket.terminate());
  }

  private finish(how: ChannelEnd): void {
    if (this.over) return;
    this.over = true;
    this.keepAliveTimer.cancel();
    this.silenceTimer.cancel();
    this.handlers.closed(how);
  }

  private keepAliveLater(): HeartbeatTimer {
    return this.heartbeat.after(this.times.keepAliveMs, () => {
      this.keepAliveTimer = this.keepAliveLater();
      this.handlers.keepAlive();
    });
  }

  private checkSilenceAfter(delayMs: number): HeartbeatTimer {
    return this.heartbeat.after(delayMs, () => this.checkSilence());
  }

  private checkSilence(): void {
    const { silenceMs } = this.times;
    const silentMs = this.paused ? 0 : this.heartbeat.elapsedMs - this.lastFrameMs;
    if (silentMs >= silenceMs) {
      this.terminate();
      return;
    }
    if (silentMs < silenceMs / 2) this.silenceTimer = this.checkSilenceAfter(silenceMs / 2 - silentMs);
    else {
      this.socket.ping();
      this.silenceTimer = this.checkSilenceAfter(silenceMs - silentMs);
    }
  }
}
