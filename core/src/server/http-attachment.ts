import { ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { UpgradeSocket } from '../transports/upgrade-socket.js';

/** What an HTTP server hands over; each answers whether the request was ours. */
export interface RequestHandlers {
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean;
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}

/**
 * Puts handlers in front of an HTTP server's own listeners, whenever those were or will be added: a request that is
 * ours is not shown to them, and one that is not is theirs alone. Returns what takes them away again.
 */
export function attachTo(server: Server, handlers: RequestHandlers): () => void {
  const emit = Reflect.get(server, 'emit') as (event: string | symbol, ...args: unknown[]) => boolean;
  const intercept = function (this: Server, event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'request' && handlers.handleRequest(args[0] as IncomingMessage, args[1] as ServerResponse))
      return true;
    return emit.call(server, event, ...args);
  };
  server.emit = intercept as typeof server.emit;

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (isWebSocket(request) && handlers.handleUpgrade(request, socket, head)) return;
    if (!isWebSocket(request) && answerPlainly(request, socket, handlers)) return;
    // Somebody else may want it; where there is nobody, silence would be the worst answer.
    if (server.listenerCount('upgrade') > 1) return;
    if (!isWebSocket(request) && !hasBody(request) && server.listenerCount('request') > 0)
      server.emit('request', request, responseOn(request, socket));
    else new UpgradeSocket(request, socket, head).refuse(404, 'Not found.');
  };
  server.on('upgrade', onUpgrade);

  return () => {
    if (server.emit === (intercept as typeof server.emit)) server.emit = emit as typeof server.emit;
    server.off('upgrade', onUpgrade);
  };
}

/** An `Upgrade` to something else is an offer that may be declined: the request is answered as it stands. */
function answerPlainly(request: IncomingMessage, socket: Duplex, handlers: RequestHandlers): boolean {
  const response = responseOn(request, socket);
  if (handlers.handleRequest(request, response)) return true;
  response.detachSocket(socket as never);
  return false;
}

function responseOn(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  socket.on('error', () => socket.destroy());
  response.assignSocket(socket as never);
  response.shouldKeepAlive = false;
  response.setHeader('Connection', 'close');
  response.once('finish', () => socket.end());
  return response;
}

function isWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
