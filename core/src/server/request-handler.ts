import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Refusal } from '../dispatcher/refusal.js';
import { hubError } from '../errors.js';
import type { Logger } from '../logger.js';
import { respond, type EndpointRequest } from '../protocols/endpoint.js';
import { UpgradeSocket } from '../transports/upgrade-socket.js';
import type { Endpoints, Match } from './endpoints.js';
import { readUrl, visibleRequest, type RequestGate, type RequestUrl } from './request-gate.js';
import type { RequestHandlers } from './http-attachment.js';

/** Takes requests through the gate to their endpoints, and turns refusals into answers. */
export class RequestHandler implements RequestHandlers {
  constructor(
    private readonly endpoints: Endpoints,
    private readonly gate: RequestGate,
    private readonly logger: Logger,
    /** Requests wait for it; it throws a `Refusal` when the server has stopped or could not start. */
    private readonly ready: () => Promise<void>,
  ) {}

  handleRequest(request: IncomingMessage, response: ServerResponse): boolean {
    const url = readUrl(request);
    const match = this.endpoints.match(request, url, false);
    if (match === undefined) return false;
    this.answer(request, response, url, match).catch((error: unknown) => {
      const refusal = this.refusalOf(error, url);
      if (refusal.status === 503) response.setHeader('Connection', 'close');
      respond(response, refusal.status, refusal.status === 401 ? '' : refusal.message);
    });
    return true;
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const url = readUrl(request);
    const match = this.endpoints.match(request, url, true);
    if (match === undefined) return false;
    const upgrade = new UpgradeSocket(request, socket, head);
    this.open(request, upgrade, url, match).catch((error: unknown) => {
      const refusal = this.refusalOf(error, url);
      upgrade.refuse(refusal.status, refusal.message);
    });
    return true;
  }

  private async answer(
    request: IncomingMessage,
    response: ServerResponse,
    url: RequestUrl,
    match: Match,
  ): Promise<void> {
    for (const [name, value] of Object.entries(this.gate.admitOrigin(request))) response.setHeader(name, value);
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Methods', 'GET, POST');
      const asked = request.headers['access-control-request-headers'];
      if (asked !== undefined) response.setHeader('Access-Control-Allow-Headers', asked);
      response.statusCode = 204;
      response.end();
      return;
    }
    await this.ready();
    await match.endpoint.handle(await this.identify(request, url, match), response);
  }

  private async open(request: IncomingMessage, socket: UpgradeSocket, url: RequestUrl, match: Match): Promise<void> {
    this.gate.admitOrigin(request);
    await this.ready();
    const identified = await this.identify(request, url, match);
    if (!socket.isGone) await match.endpoint.upgrade(identified, socket);
  }

  private async identify(request: IncomingMessage, url: RequestUrl, { suffix }: Match): Promise<EndpointRequest> {
    const visible = visibleRequest(request, url);
    const user = await this.gate.authenticate(request, url.query, visible);
    return { raw: request, publicPath: url.publicPath, suffix, query: url.query, user, visible };
  }

  private refusalOf(error: unknown, url: RequestUrl): Refusal {
    if (error instanceof Refusal) {
      // The query holds the client's secrets; the path alone is safe to be written down.
      this.logger.debug({ path: url.publicPath, status: error.status, error: error.cause }, 'A request was refused.');
      return error;
    }
    const failure = hubError('HUB_REQUEST_FAILED', { path: url.publicPath }, error);
    this.logger.error({ error: failure, path: url.publicPath }, 'A request failed.');
    return new Refusal(500, 'The server failed.', error);
  }
}
