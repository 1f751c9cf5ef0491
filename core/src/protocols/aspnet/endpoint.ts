import type { ServerResponse } from 'node:http';
import type { HubDispatcher } from '../../dispatcher/hub-dispatcher.js';
import { Refusal } from '../../dispatcher/refusal.js';
import type { HubDescriptor } from '../../hubs/hub-descriptor.js';
import { openConnectionToken, sealConnectionToken, type ConnectionClaim } from '../../security/connection-token.js';
import type { UpgradeSocket } from '../../transports/upgrade-socket.js';
import { respond, respondJson, type Endpoint, type EndpointRequest } from '../endpoint.js';
import { readConnectionData } from './connection-data.js';
import { negotiation, newConnectionId, protocolVersion } from './negotiate.js';
import { ReceiveRequests } from './receive-request.js';

/** The classic family at one path: every hub of the server. */
export class AspNetEndpoint implements Endpoint {
  private readonly receiving: ReceiveRequests;

  constructor(
    private readonly dispatcher: HubDispatcher,
    detailedErrors: boolean,
  ) {
    this.receiving = new ReceiveRequests(dispatcher, detailedErrors);
  }

  async handle(request: EndpointRequest, response: ServerResponse): Promise<void> {
    refuseJsonp(request);
    switch (request.suffix) {
      case '/negotiate':
        return this.negotiate(request, response);
      case '/ping':
        return respondJson(response, { Response: 'pong' });
      case '/start':
        return this.start(request, response);
      case '/abort':
        return this.abort(request, response);
      default:
        needWebSockets(request);
        this.openToken(request);
        throw new Refusal(400, 'WebSockets need an upgrade.');
    }
  }

  async upgrade(request: EndpointRequest, socket: UpgradeSocket): Promise<void> {
    refuseJsonp(request);
    needWebSockets(request);
    const claim = this.openToken(request);
    const given = { request, socket, claim, hubs: this.hubsOf(request) };
    if (request.suffix === '/connect') await this.receiving.connect(given);
    else await this.receiving.reconnect(given);
  }

  drained(): Promise<void> {
    return this.receiving.drained();
  }

  close(): void {
    this.receiving.close();
  }

  private async negotiate(request: EndpointRequest, response: ServerResponse): Promise<void> {
    const { limits, bus, protector } = this.dispatcher.ground;
    const hubs = this.hubsOf(request);
    const { allowed } = await this.dispatcher.authorizeConnect(hubs, request.visible, request.user, undefined);
    if (allowed.length === 0 && hubs.length > 0) throw Refusal.of(request.user);
    const connectionId = newConnectionId();
    const connectionToken = sealConnectionToken(protector, {
      connectionId,
      userId: request.user.id,
      position: bus.writePosition(bus.head),
    });
    const url = baseOf(request.publicPath);
    const version = protocolVersion(request.query.get('clientProtocol'));
    respondJson(response, negotiation({ url, connectionId, connectionToken, version, limits }));
  }

  private async start(request: EndpointRequest, response: ServerResponse): Promise<void> {
    needWebSockets(request);
    const record = this.dispatcher.ground.registry.find(this.openToken(request).connectionId);
    if (record === undefined) throw new Refusal(503, 'Nobody has this connection.');
    await this.dispatcher.connect(record);
    respondJson(response, { Response: 'started' });
  }

  private async abort(request: EndpointRequest, response: ServerResponse): Promise<void> {
    // Any transport will do: clients name another than they used.
    transportOf(request);
    const record = this.dispatcher.ground.registry.find(this.openToken(request).connectionId);
    if (record !== undefined) {
      const ending = { kind: 'ended', reason: 'client', allowReconnect: false } as const;
      void this.dispatcher.end(record, 'client', ending, 'final');
    }
    respond(response, 200, '');
  }

  private hubsOf({ query }: EndpointRequest): readonly HubDescriptor[] {
    const { hubs, limits } = this.dispatcher.ground;
    return readConnectionData(query.get('connectionData'), hubs, limits);
  }

  private openToken({ query, user }: EndpointRequest): ConnectionClaim {
    const token = query.get('connectionToken');
    if (token === undefined || token === '') throw new Refusal(400, 'The connection token is missing.');
    const claim = openConnectionToken(this.dispatcher.ground.protector, token);
    if (claim === undefined) throw new Refusal(400, 'The connection token is not one of this server.');
    if (claim.userId !== user.id) throw new Refusal(403, 'The user is not the one who negotiated.');
    return claim;
  }
}

/** The path without the suffix. No pattern does it: one that begins with any number of slashes is slow on many. */
function baseOf(path: string): string {
  let end = path.toLowerCase().lastIndexOf('/negotiate');
  if (end < 0) return path;
  while (end > 0 && path[end - 1] === '/') end--;
  return path.slice(0, end) || '/';
}

function refuseJsonp({ query }: EndpointRequest): void {
  if (query.get('callback')) throw new Refusal(400, 'JSONP is not supported.');
}

/** The transport that a request names; its case does not count. */
function transportOf({ query }: EndpointRequest): string {
  const transport = query.get('transport')?.toLowerCase() ?? '';
  switch (transport) {
    case 'websockets':
    case 'serversentevents':
    case 'longpolling':
      return transport;
    case 'foreverframe':
      throw new Refusal(400, 'Forever frame is not supported.');
    default:
      throw new Refusal(400, 'The transport is missing or unknown.');
  }
}

function needWebSockets(request: EndpointRequest): void {
  if (transportOf(request) !== 'websockets')
    throw new Refusal(400, 'This transport is not offered here; use WebSockets.');
}
