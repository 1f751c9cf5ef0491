import type { ServerResponse } from 'node:http';
import type { WebSocketServer } from 'ws';
import type { HubDispatcher } from '../../dispatcher/hub-dispatcher.js';
import { Refusal } from '../../dispatcher/refusal.js';
import type { HubDescriptor } from '../../hubs/hub-descriptor.js';
import type { UpgradeSocket } from '../../transports/upgrade-socket.js';
import { webSocketServer } from '../../transports/web-socket-server.js';
import { allClosed, respond, respondJson, type Endpoint, type EndpointRequest } from '../endpoint.js';
import { HubConnection } from './hub-connection.js';
import { Negotiations, negotiateVersion, newId } from './negotiate.js';

/** One frame may carry many messages, each of which has a limit of its own. */
const maxFrameBytes = 1024 * 1024;

/** The ASP.NET Core family at one path: one hub. */
export class AspNetCoreEndpoint implements Endpoint {
  private readonly negotiations: Negotiations;
  private readonly webSockets: WebSocketServer;

  constructor(
    private readonly dispatcher: HubDispatcher,
    readonly hub: HubDescriptor,
    private readonly detailedErrors: boolean,
  ) {
    const { heartbeat, limits } = dispatcher.ground;
    this.negotiations = new Negotiations(heartbeat, limits);
    this.webSockets = webSocketServer(Math.max(maxFrameBytes, 2 * limits.maxCoreMessageBytes));
  }

  async handle(request: EndpointRequest, response: ServerResponse): Promise<void> {
    if (request.suffix !== '/negotiate') throw new Refusal(404, 'Only WebSockets are offered here.');
    if (request.raw.method !== 'POST') {
      response.setHeader('Allow', 'POST');
      return respond(response, 405, '', 'text/plain');
    }
    const asked = negotiateVersion(request.query.get('negotiateVersion'));
    if ('error' in asked) return respondJson(response, asked);
    await this.authorize(request);
    const connectionId = newId();
    const connectionToken = asked.version === 0 ? connectionId : newId();
    this.negotiations.add(connectionToken, { connectionId, userId: request.user.id });
    respondJson(response, {
      negotiateVersion: asked.version,
      connectionId,
      ...(asked.version === 1 && { connectionToken }),
      availableTransports: [{ transport: 'WebSockets', transferFormats: ['Text', 'Binary'] }],
    });
  }

  async upgrade(request: EndpointRequest, socket: UpgradeSocket): Promise<void> {
    if (request.suffix !== '') throw new Refusal(405, '');
    const token = request.query.get('id');
    const find = () => (token === undefined ? undefined : this.negotiations.find(token));
    const negotiated = find();
    if (negotiated !== undefined && negotiated.userId !== request.user.id)
      throw new Refusal(403, 'The user is not the one who negotiated.');
    await this.authorize(request);
    // It may have been opened or forgotten meanwhile.
    find();
    if (this.dispatcher.ground.registry.isClosed) throw new Refusal(503, 'The server is stopping.');
    const connectionId = negotiated?.connectionId ?? newId();
    socket.accept(this.webSockets, (webSocket) => {
      if (token !== undefined) this.negotiations.open(token, webSocket);
      const { hub, detailedErrors } = this;
      return new HubConnection(webSocket, this.dispatcher, { connectionId, hub, request, detailedErrors });
    });
  }

  drained(): Promise<void> {
    return allClosed(this.webSockets);
  }

  close(): void {
    for (const socket of this.webSockets.clients) socket.terminate();
  }

  private async authorize({ visible, user }: EndpointRequest): Promise<void> {
    const { allowed } = await this.dispatcher.authorizeConnect([this.hub], visible, user, undefined);
    if (allowed.length === 0) throw Refusal.of(user);
  }
}
