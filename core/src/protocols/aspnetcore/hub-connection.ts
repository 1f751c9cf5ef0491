import type { WebSocket } from 'ws';
import { isPromise } from '../../awaitable.js';
import type { HeartbeatTimer } from '../../connections/heartbeat.js';
import type { ConnectionRecord } from '../../connections/connection-record.js';
import type { DisconnectReason } from '../../connections/connection.js';
import type { HubDispatcher } from '../../dispatcher/hub-dispatcher.js';
import { hubError } from '../../errors.js';
import type { HubDescriptor } from '../../hubs/hub-descriptor.js';
import { writeJson } from '../../json.js';
import { WebSocketChannel, type ChannelEnd } from '../../transports/web-socket-channel.js';
import type { CallReply, EncodedValue } from '../../wire/hub-message.js';
import type { LiveTransport, TransportEnding } from '../../wire/transport.js';
import type { EndpointRequest } from '../endpoint.js';
import { closeDetail, completionError } from './error-text.js';
import { acceptedHandshake, judgeHandshake, refusedHandshake, timedOut } from './handshake.js';
import {
  closeFrame,
  errorFrame,
  jsonFraming,
  jsonProtocol,
  MessageSplitter,
  pingFrame,
  readMessage,
  resultFrame,
  type ClientMessage,
} from './json-protocol.js';

/** Why a connection has ended whose WebSocket has. */
const reasons: Readonly<Record<ChannelEnd, DisconnectReason>> = {
  client: 'client',
  lost: 'timeout',
  violation: 'error',
};

/** A negotiated connection whose WebSocket has been accepted. */
export interface AcceptedConnection {
  readonly connectionId: string;
  readonly hub: HubDescriptor;
  readonly request: EndpointRequest;
  readonly detailedErrors: boolean;
}

/** One ASP.NET Core connection over a WebSocket: handshake, messages in, frames out. */
export class HubConnection implements LiveTransport {
  readonly live = true;
  readonly name = 'webSockets';
  readonly framing = jsonFraming;
  private readonly channel: WebSocketChannel;
  private readonly splitter: MessageSplitter;
  private record: ConnectionRecord | undefined;
  /** Until the handshake: its deadline. From the client's first ping on: the watch over its messages. */
  private timer: HeartbeatTimer;
  private watching = false;
  private lastMessageMs = 0;
  private closeDetail: string | undefined;

  constructor(
    socket: WebSocket,
    private readonly dispatcher: HubDispatcher,
    private readonly given: AcceptedConnection,
  ) {
    const { heartbeat, limits } = dispatcher.ground;
    this.splitter = new MessageSplitter(limits.maxCoreMessageBytes);
    this.channel = new WebSocketChannel(
      socket,
      heartbeat,
      { keepAliveMs: limits.pingMs, silenceMs: limits.clientTimeoutMs },
      {
        message: (data) => this.receive(data),
        keepAlive: () => {
          if (this.record !== undefined) this.channel.send(pingFrame);
        },
        closed: (how) => this.finish(reasons[how], true),
      },
    );
    this.timer = heartbeat.after(limits.handshakeTimeoutMs, () => this.refuseHandshake(timedOut));
  }

  write(frame: Uint8Array | string): void {
    this.channel.send(frame);
  }

  pause(paused: boolean): void {
    this.channel.pause(paused);
  }

  end(ending: TransportEnding): void {
    this.timer.cancel();
    if (ending.kind === 'lost') {
      this.channel.terminate();
      return;
    }
    // Without a Close message clients would come back by themselves.
    if (ending.kind === 'ended' && this.record !== undefined)
      this.channel.send(closeFrame(this.closeText(ending.reason, ending.message), ending.allowReconnect));
    this.channel.close(1000);
  }

  private receive(data: Buffer): void {
    try {
      for (const text of this.splitter.split(data)) {
        if (!this.channel.isOpen) return;
        if (this.record === undefined) this.shakeHands(text);
        else this.take(readMessage(text, this.dispatcher.ground.limits.maxJsonDepth), this.record);
      }
    } catch (error) {
      if (this.record === undefined) this.refuseHandshake(timedOut);
      else this.fail('error', error as Error);
    }
  }

  private shakeHands(text: string): void {
    const handshake = judgeHandshake(text, this.given.detailedErrors);
    if (!handshake.accepted) {
      this.refuseHandshake(handshake.error);
      return;
    }
    const { connectionId, hub, request } = this.given;
    const { bus, limits } = this.dispatcher.ground;
    let record: ConnectionRecord;
    try {
      record = this.dispatcher.open({
        connectionId,
        user: request.user,
        request: request.visible,
        position: bus.writePosition(bus.head),
        traits: {
          protocol: jsonProtocol,
          disconnectTimeoutMs: undefined,
          groupsToken: false,
          parallelCalls: limits.maxParallelCalls,
        },
      });
    } catch (error) {
      this.report(error);
      this.refuseHandshake('The server has as many connections as it may.');
      return;
    }
    this.timer.cancel();
    this.record = record;
    record.claim({ request: request.visible, user: request.user, arrival: 0 });
    this.channel.send(acceptedHandshake);
    void this.connect(record, hub);
  }

  /** From here on messages reach the client; its own calls wait for `connect`. */
  private async connect(record: ConnectionRecord, hub: HubDescriptor): Promise<void> {
    try {
      const listening = record.subscriptions.listenAll([hub]);
      if (isPromise<void>(listening)) await listening;
      if (record.state === 'ended') return;
      record.attach(this, record.head);
      await this.dispatcher.connect(record);
    } catch (error) {
      // The connection has been ended, and its client told, where the failure was seen.
      this.report(error);
    }
  }

  private refuseHandshake(error: string): void {
    this.timer.cancel();
    this.channel.send(refusedHandshake(error));
    this.channel.close(1000);
  }

  private take(message: ClientMessage, record: ConnectionRecord): void {
    this.lastMessageMs = this.dispatcher.ground.heartbeat.elapsedMs;
    switch (message.kind) {
      case 'invocation': {
        const reply = this.replyTo(message, record);
        if (message.streamIds.length > 0) reply.fail(hubError('HUB_NOT_SUPPORTED', { feature: 'Uploading a stream' }));
        else {
          const { target: method, arguments: args } = message;
          this.dispatcher.receive(
            record,
            { hub: this.given.hub.name, method, arguments: args, state: undefined },
            reply,
          );
        }
        return;
      }
      case 'stream-invocation':
        this.replyTo(message, record).fail(hubError('HUB_NOT_SUPPORTED', { feature: 'Streaming' }));
        return;
      case 'ping':
        if (!this.watching) this.watchAfter(this.dispatcher.ground.limits.clientTimeoutMs);
        return;
      case 'close':
        this.finish('client', false);
        return;
      case 'ignored':
    }
  }

  private replyTo(
    { id, target }: { readonly id: string | undefined; readonly target: string },
    record: ConnectionRecord,
  ): CompletionReply {
    // Errors name a method as the hub does; case does not count.
    const declared = this.given.hub.methods.get(target.toLowerCase())?.name ?? target;
    return new CompletionReply(this, record, id, declared, this.given.detailedErrors);
  }

  /** Who has pinged once must go on: every message counts. */
  private watchAfter(delayMs: number): void {
    const { heartbeat, limits } = this.dispatcher.ground;
    this.watching = true;
    this.timer = heartbeat.after(delayMs, () => {
      // Messages that we do not read cannot be missed.
      const reading = this.record?.calls.isPaused !== true;
      const silentMs = reading ? heartbeat.elapsedMs - this.lastMessageMs : 0;
      if (silentMs < limits.clientTimeoutMs) this.watchAfter(limits.clientTimeoutMs - silentMs);
      else {
        const error = new Error("Client hasn't sent a message/ping within the configured ClientTimeoutInterval.");
        error.name = 'OperationCanceledException';
        this.fail('timeout', error);
      }
    });
  }

  private fail(reason: 'error' | 'timeout', error: Error): void {
    this.report(error);
    this.closeDetail = closeDetail(error);
    this.finish(reason, true);
  }

  /** The client closed, or is lost, or is sent away: that is the end of the connection. */
  private finish(reason: DisconnectReason, allowReconnect: boolean): void {
    this.timer.cancel();
    if (this.record !== undefined)
      void this.dispatcher.end(this.record, reason, { kind: 'ended', reason, allowReconnect }, 'resumable');
  }

  private closeText(reason: string, message: string | undefined): string | undefined {
    if (reason !== 'error' && reason !== 'timeout') return undefined;
    const text = 'Connection closed with an error.';
    if (message !== undefined) return `${text} HubException: ${message}`;
    return this.given.detailedErrors && this.closeDetail !== undefined ? `${text} ${this.closeDetail}` : text;
  }

  private report(error: unknown): void {
    this.dispatcher.ground.logger.debug({ error, connection: this.given.connectionId }, 'A connection failed.');
  }
}

/** The answer to an invocation. Without an id there is none, whatever happens. */
class CompletionReply implements CallReply {
  constructor(
    private readonly connection: HubConnection,
    private readonly record: ConnectionRecord,
    private readonly id: string | undefined,
    private readonly target: string,
    private readonly detailedErrors: boolean,
  ) {}

  encode(value: unknown): EncodedValue {
    return writeJson(value, 'result');
  }

  succeed(result: EncodedValue): void {
    if (this.id !== undefined) this.record.delivery.answer(this.connection, resultFrame(this.id, result));
  }

  fail(error: unknown): void {
    if (this.id === undefined) return;
    const text = completionError(error, this.target, this.detailedErrors);
    this.record.delivery.answer(this.connection, errorFrame(this.id, text));
  }

  progress(): () => void {
    // This family has no progress outside of streams.
    return () => undefined;
  }
}
