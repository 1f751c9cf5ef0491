import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebSocketServer } from 'ws';
import type { ConnectionRequest } from '../connections/connection.js';
import type { User } from '../security/user.js';
import type { UpgradeSocket } from '../transports/upgrade-socket.js';
import type { RequestQuery } from './request-query.js';

/** A request that has passed the gate: its origin is allowed, and its user is known. */
export interface EndpointRequest {
  readonly raw: IncomingMessage;
  /** The path as the client sees it, without the query. */
  readonly publicPath: string;
  /** What stands behind the endpoint's own path, such as `/negotiate`; in lower case. */
  readonly suffix: string;
  readonly query: RequestQuery;
  readonly user: User;
  /** What hubs and modules see of it. */
  readonly visible: ConnectionRequest;
}

/** One family of clients at one path. Both methods may throw a `Refusal`. */
export interface Endpoint {
  handle(request: EndpointRequest, response: ServerResponse): Promise<void>;
  upgrade(request: EndpointRequest, socket: UpgradeSocket): Promise<void>;
  /** Settles when every socket has been closed by both sides. */
  drained(): Promise<void>;
  /** Cuts what is still open. */
  close(): void;
}

/** Answers a request in full. */
export function respond(
  response: ServerResponse,
  status: number,
  body: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  if (response.headersSent) {
    response.end();
    return;
  }
  response.statusCode = status;
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'no-store, no-transform');
  response.setHeader('Content-Type', contentType);
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body);
}

/** Answers with JSON. */
export function respondJson(response: ServerResponse, body: unknown): void {
  respond(response, 200, JSON.stringify(body), 'application/json; charset=UTF-8');
}

/** Settles when every socket of a WebSocket server is closed. */
export async function allClosed(server: WebSocketServer): Promise<void> {
  await Promise.all([...server.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
}
