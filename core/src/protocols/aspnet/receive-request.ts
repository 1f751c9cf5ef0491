import type { WebSocketServer } from 'ws';
import type { ConnectionRecord } from '../../connections/connection-record.js';
import type { ConnectionTraits } from '../../connections/connection-traits.js';
import type { Replay } from '../../connections/delivery.js';
import type { HubDispatcher } from '../../dispatcher/hub-dispatcher.js';
import { Refusal } from '../../dispatcher/refusal.js';
import type { HubDescriptor } from '../../hubs/hub-descriptor.js';
import type { Position } from '../../messaging/position.js';
import type { ConnectionClaim } from '../../security/connection-token.js';
import type { UpgradeSocket } from '../../transports/upgrade-socket.js';
import { webSocketServer } from '../../transports/web-socket-server.js';
import { allClosed, type EndpointRequest } from '../endpoint.js';
import { aspnetProtocol, errorEnvelope, initEnvelope } from './aspnet-protocol.js';
import { HubSocket } from './hub-socket.js';
import { isAtLeast, protocolVersion } from './negotiate.js';

/** A request for a WebSocket, whose token has been opened. */
export interface ReceiveRequest {
  readonly request: EndpointRequest;
  readonly socket: UpgradeSocket;
  readonly claim: ConnectionClaim;
  readonly hubs: readonly HubDescriptor[];
}

/** Opens and resumes classic connections over WebSockets: `/connect` and `/reconnect`. */
export class ReceiveRequests {
  private readonly webSockets: WebSocketServer;
  private readonly traits: ConnectionTraits;

  constructor(
    private readonly dispatcher: HubDispatcher,
    private readonly detailedErrors: boolean,
  ) {
    const { limits } = dispatcher.ground;
    this.webSockets = webSocketServer(limits.maxClassicMessageBytes);
    this.traits = {
      protocol: aspnetProtocol,
      disconnectTimeoutMs: limits.disconnectTimeoutMs,
      groupsToken: true,
      parallelCalls: Number.POSITIVE_INFINITY,
    };
  }

  async connect(given: ReceiveRequest): Promise<void> {
    const { request, hubs, claim, socket } = given;
    const { registry } = this.dispatcher.ground;
    for (;;) {
      if (socket.isGone || this.hasEndedForGood(given)) return;
      const held = registry.find(claim.connectionId);
      // A held connection that was confirmed resumes; its client has nothing yet, so it is told everything as new.
      if (held !== undefined && held.state !== 'opening') return this.resume(given, undefined, true);
      if (held !== undefined) {
        await this.dispatcher.readmit(held, { hubs, request: request.visible, user: request.user });
        if (held.state === 'opening') return this.openTransport(given, held, []);
        continue;
      }
      const { allowed } = await this.dispatcher.authorizeConnect(hubs, request.visible, request.user, undefined);
      if (allowed.length === 0 && hubs.length > 0) throw Refusal.of(request.user);
      // Others may have come for the same connection meanwhile, or have stopped it.
      if (socket.isGone || this.hasEndedForGood(given)) return;
      if (registry.find(claim.connectionId) === undefined) return this.openTransport(given, this.open(given), allowed);
    }
  }

  async reconnect(given: ReceiveRequest): Promise<void> {
    if (this.hasEndedForGood(given)) return;
    await this.resume(given, given.request.query.get('messageId') || undefined, false);
  }

  drained(): Promise<void> {
    return allClosed(this.webSockets);
  }

  close(): void {
    for (const socket of this.webSockets.clients) socket.terminate();
  }

  private open({ claim, request }: ReceiveRequest): ConnectionRecord {
    return this.dispatcher.open({
      connectionId: claim.connectionId,
      user: request.user,
      request: request.visible,
      traits: this.traits,
      position: claim.position,
    });
  }

  private async openTransport(
    given: ReceiveRequest,
    record: ConnectionRecord,
    hubs: readonly HubDescriptor[],
  ): Promise<void> {
    const { request, socket } = given;
    if (socket.isGone) return;
    const asked = { request: request.visible, user: request.user, arrival: socket.arrival };
    if (record.isOvertaken(asked)) throw Refusal.overtaken();
    const generation = record.claim(asked);
    this.claimed(record, given, generation);
    // Whoever connects holds no token, also where an earlier transport was given one.
    record.presents(undefined);
    await record.subscriptions.listenAll(hubs);
    const start = record.head;
    if (!isAtLeast(versionOf(request), 1, 4)) await this.dispatcher.connect(record);
    if (!socket.isGone) this.accept(given, record, generation, start, true);
  }

  private async resume(given: ReceiveRequest, cursor: string | undefined, init: boolean): Promise<void> {
    const { request, claim, hubs, socket } = given;
    const groupsToken = request.query.get('groupsToken') || undefined;
    const { record, generation, owed } = await this.dispatcher.resume(
      // A token on connect is not read.
      {
        claim,
        user: request.user,
        request: request.visible,
        hubs,
        cursor,
        groupsToken: init ? undefined : groupsToken,
        traits: this.traits,
        arrival: socket.arrival,
        isGone: () => socket.isGone,
      },
      (resuming, itsGeneration) => this.claimed(resuming, given, itsGeneration),
    );
    if (!socket.isGone) this.accept(given, record, generation, owed, init);
  }

  /** From here on the request is the connection's transport; if its socket goes, the connection has none. */
  private claimed(record: ConnectionRecord, { socket }: ReceiveRequest, generation: number): void {
    socket.onGone(() => record.lose(generation));
  }

  private accept(
    given: ReceiveRequest,
    record: ConnectionRecord,
    generation: number,
    start: Position | Replay,
    init: boolean,
  ): void {
    const { bus } = this.dispatcher.ground;
    given.socket.accept(this.webSockets, (webSocket) => {
      const settings = {
        detailedErrors: this.detailedErrors,
        understandsErrors: isAtLeast(versionOf(given.request), 2, 0),
      };
      const socket = new HubSocket(webSocket, record, this.dispatcher, settings, () => record.lose(generation));
      if (!record.isCurrent(generation)) {
        socket.end({ kind: 'replaced' });
        return;
      }
      if (init) socket.write(initEnvelope(bus.writePosition(typeof start === 'number' ? start : start.upTo)));
      record.attach(socket, start);
    });
  }

  /** A connection that was stopped, or sent away, does not come back. */
  private hasEndedForGood({ claim, request, socket }: ReceiveRequest): boolean {
    if (this.dispatcher.ground.registry.howEnded(claim.connectionId) !== 'final') return false;
    if (!isAtLeast(versionOf(request), 2, 0)) throw new Refusal(403, 'The connection has ended.');
    socket.accept(this.webSockets, (webSocket) => {
      webSocket.on('error', () => undefined);
      webSocket.send(errorEnvelope('The connection has ended.'));
      webSocket.close(1000);
    });
    return true;
  }
}

function versionOf(request: EndpointRequest): string {
  return protocolVersion(request.query.get('clientProtocol'));
}
