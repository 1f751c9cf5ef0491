import type { WebSocket } from 'ws';
import type { ConnectionRecord } from '../../connections/connection-record.js';
import type { HubDispatcher } from '../../dispatcher/hub-dispatcher.js';
import { writeJson } from '../../json.js';
import { WebSocketChannel } from '../../transports/web-socket-channel.js';
import type { CallReply, EncodedValue } from '../../wire/hub-message.js';
import type { LiveTransport, TransportEnding } from '../../wire/transport.js';
import {
  aspnetWebSocketFraming,
  errorEnvelope,
  errorFrame,
  keepAliveFrame,
  progressMessage,
  readCall,
  resultFrame,
  type ClassicCall,
} from './aspnet-protocol.js';
import { describeError } from './error-text.js';

type State = Readonly<Record<string, unknown>> | undefined;

/** How a classic socket behaves. */
export interface HubSocketSettings {
  readonly detailedErrors: boolean;
  /** Whether the client stops when it is told an error. */
  readonly understandsErrors: boolean;
}

/** A classic connection's WebSocket: calls in; envelopes, results and keep-alives out. */
export class HubSocket implements LiveTransport {
  readonly live = true;
  readonly name = 'webSockets';
  readonly framing = aspnetWebSocketFraming;
  private readonly channel: WebSocketChannel;

  constructor(
    socket: WebSocket,
    private readonly record: ConnectionRecord,
    private readonly dispatcher: HubDispatcher,
    private readonly settings: HubSocketSettings,
    lost: () => void,
  ) {
    const { heartbeat, limits } = dispatcher.ground;
    const times = { keepAliveMs: limits.keepAliveMs, silenceMs: limits.disconnectTimeoutMs };
    this.channel = new WebSocketChannel(socket, heartbeat, times, {
      message: (data, binary) => this.receive(data, binary),
      keepAlive: () => this.channel.send(keepAliveFrame),
      closed: lost,
    });
  }

  write(frame: Uint8Array | string): void {
    this.channel.send(frame);
  }

  pause(paused: boolean): void {
    this.channel.pause(paused);
  }

  end(ending: TransportEnding): void {
    if (ending.kind === 'lost') {
      this.channel.terminate();
      return;
    }
    // A client that has stopped by itself needs no word; one that may come back must not be told to stop.
    if (
      ending.kind === 'ended' &&
      !ending.allowReconnect &&
      ending.reason !== 'client' &&
      this.settings.understandsErrors
    )
      this.channel.send(errorEnvelope(ending.message ?? 'The server has ended this connection.'));
    this.channel.close(1000);
  }

  private receive(data: Buffer, binary: boolean): void {
    const { logger, limits } = this.dispatcher.ground;
    if (binary) {
      logger.debug({ connection: this.record.id }, 'A classic client sent a binary frame.');
      this.channel.close(1003);
      return;
    }
    let call: ClassicCall;
    try {
      call = readCall(data.toString('utf8'), limits);
    } catch (error) {
      // There is no id to answer to.
      logger.debug({ error, connection: this.record.id }, 'A frame of a classic client could not be read.');
      return;
    }
    this.dispatcher.receive(
      this.record,
      call,
      new HubSocketReply(this, this.record, this.dispatcher, this.settings, call),
    );
  }
}

/** The answer to a call, on the socket that carried it; dropped when that has been replaced. */
class HubSocketReply implements CallReply {
  constructor(
    private readonly socket: HubSocket,
    private readonly record: ConnectionRecord,
    private readonly dispatcher: HubDispatcher,
    private readonly settings: HubSocketSettings,
    private readonly call: ClassicCall,
  ) {}

  encode(value: unknown): EncodedValue {
    return writeJson(value, 'result');
  }

  succeed(result: EncodedValue, state: State): void {
    if (this.call.id !== undefined) this.answer(resultFrame(this.call.id, result, state));
  }

  fail(error: unknown, state: State): void {
    if (this.call.id === undefined) return;
    this.answer(errorFrame(this.call.id, describeError(error, this.call, this.settings.detailedErrors), state));
  }

  progress(value: unknown, state: State): () => void {
    // What cannot be written throws, whether or not the caller wants to know.
    const message = progressMessage(this.call.id ?? '', value, state);
    return () => {
      if (this.call.id === undefined) return;
      const cursor = this.dispatcher.ground.bus.writePosition(this.record.delivery.written);
      this.answer(this.socket.framing.frame([message], cursor, undefined));
    };
  }

  private answer(frame: string | Uint8Array): void {
    this.record.delivery.answer(this.socket, frame);
  }
}
