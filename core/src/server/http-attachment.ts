import { ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { UpgradeSocket } from '../transports/upgrade-socket.js';

/** What an HTTP server hands over; each answers whether the request was ours. */
export interface RequestHandlers {
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean;
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Listeners of ours that answer where nobody else does. */
const lastResorts = new WeakSet<object>();

/**
 * Puts handlers in front of an HTTP server's own listeners, whenever those were or will be added: a request or upgrade
 * that is ours is not shown to them, and one that is not is theirs alone. Returns what takes them away again.
 */
export function attachTo(server: Server, handlers: RequestHandlers): () => void {
  const emit = Reflect.get(server, 'emit') as (event: string | symbol, ...args: unknown[]) => boolean;
  let attached = true;
  const intercept = function (this: Server, event: string | symbol, ...args: unknown[]): boolean {
    if (attached && event === 'request')
      if (handlers.handleRequest(args[0] as IncomingMessage, args[1] as ServerResponse)) return true;
    if (attached && event === 'upgrade')
      if (takeUpgrade(handlers, args[0] as IncomingMessage, args[1] as Duplex, args[2] as Buffer)) return true;
    return emit.call(server, event, ...args);
  };
  server.emit = intercept as typeof server.emit;

  // Without any listener Node would not tell of upgrades at all.
  const lastResort: UpgradeListener = (request, socket, head) => {
    // Somebody else may want it; where there is nobody, silence would be the worst answer.
    const listeners = server.listeners('upgrade') as UpgradeListener[];
    if (listeners.some((listener) => !lastResorts.has(listener))) return;
    if (listeners[0] === lastResort) answerForeign(server, request, socket, head);
  };
  lastResorts.add(lastResort);
  server.on('upgrade', lastResort);

  return () => {
    // Somebody may have wrapped it since; then it stays, and passes everything on.
    attached = false;
    if (server.emit === (intercept as typeof server.emit)) server.emit = emit as typeof server.emit;
    server.off('upgrade', lastResort);
  };
}

/** An `Upgrade` to something else is an offer that may be declined: the request is answered as it stands. */
function takeUpgrade(handlers: RequestHandlers, request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
  return isWebSocket(request)
    ? handlers.handleUpgrade(request, socket, head)
    : answerPlainly(request, socket, handlers);
}

function answerForeign(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  if (!isWebSocket(request) && !hasBody(request) && server.listenerCount('request') > 0) {
    socket.on('error', () => socket.destroy());
    server.emit('request', request, responseOn(request, socket));
  } else new UpgradeSocket(request, socket, head).refuse(404, 'Not found.');
}

function answerPlainly(request: IncomingMessage, socket: Duplex, handlers: RequestHandlers): boolean {
  const onError = (): unknown => socket.destroy();
  socket.on('error', onError);
  const response = responseOn(request, socket);
  if (handlers.handleRequest(request, response)) return true;
  response.detachSocket(socket as never);
  socket.off('error', onError);
  return false;
}

/** A response on a socket that Node has let go of; the socket ends with it. */
function responseOn(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.assignSocket(socket as never);
  response.shouldKeepAlive = false;
  response.setHeader('Connection', 'close');
  response.once('finish', () => {
    // What is left unread would make a reset of the end.
    socket.resume();
    socket.end(() => socket.destroy());
  });
  return response;
}

function isWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
