import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { Refusal } from '../dispatcher/refusal.js';
import { hubError } from '../errors.js';
import type { ConnectionRequest } from '../connections/connection.js';
import { RequestQuery } from '../protocols/request-query.js';
import { anonymousUser, type User } from '../security/user.js';
import type { HubServerOptions } from './hub-server-options.js';

/** A request's URL in the parts that the server needs. */
export interface RequestUrl {
  /** Decoded, as far as it can be. */
  readonly path: string;
  /** As it is sent, with what an outer router has cut off. */
  readonly publicPath: string;
  readonly query: RequestQuery;
}

/** Reads the URL of a request. Express keeps the whole of it in `originalUrl`. */
export function readUrl(request: IncomingMessage): RequestUrl {
  const { originalUrl } = request as { readonly originalUrl?: unknown };
  const [path, query] = splitUrl(request.url ?? '/');
  const [publicPath] = splitUrl(typeof originalUrl === 'string' ? originalUrl : (request.url ?? '/'));
  return { path: decode(path), publicPath, query: new RequestQuery(new URLSearchParams(query)) };
}

/** Who may come in, and who comes. */
export class RequestGate {
  constructor(private readonly options: HubServerOptions) {}

  /**
   * The headers with which a request of this origin is answered. Throws a `Refusal` if the origin is not allowed.
   * CORS does not cover WebSockets, so the server looks at `Origin` itself, before anything else.
   */
  admitOrigin(request: IncomingMessage): Readonly<Record<string, string>> {
    const { origin } = request.headers;
    const { cors } = this.options;
    // No browser sends requests across origins without it.
    if (origin === undefined) return {};
    if (cors !== 'any') {
      if (isOwn(origin, request)) return {};
      if (cors?.origins.includes(origin) !== true) throw new Refusal(403, 'This origin is not allowed.');
    }
    const credentials = cors === 'any' || cors?.credentials !== false;
    return {
      'Access-Control-Allow-Origin': origin,
      Vary: 'Origin',
      ...(credentials && { 'Access-Control-Allow-Credentials': 'true' }),
    };
  }

  async authenticate(request: IncomingMessage, query: RequestQuery, visible: ConnectionRequest): Promise<User> {
    const { authenticate } = this.options;
    if (authenticate === undefined) return anonymousUser;
    const bearer = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const user = await authenticate({ ...visible, accessToken: bearer ?? query.get('access_token') });
    if (user === undefined || user === null) return anonymousUser;
    // What is no text would be compared with the id in a token, and never be equal.
    if (typeof user.id !== 'string') throw hubError('HUB_USER_INVALID', { got: typeof user.id });
    return user;
  }
}

/** What hubs and modules see of a request. */
export function visibleRequest(request: IncomingMessage, { publicPath, query }: RequestUrl): ConnectionRequest {
  return {
    method: request.method ?? 'GET',
    path: publicPath,
    query: query.visible(),
    headers: request.headers,
    remoteAddress: request.socket?.remoteAddress,
  };
}

/** The page's host is the one that the request went to. A page of a secure server is secure itself. */
function isOwn(origin: string, request: IncomingMessage): boolean {
  const { host } = request.headers;
  if (host === undefined || !URL.canParse(origin)) return false;
  const page = new URL(origin);
  if (page.protocol !== 'http:' && page.protocol !== 'https:') return false;
  const secure = (request.socket as TLSSocket | undefined)?.encrypted === true;
  if (secure && page.protocol !== 'https:') return false;
  const own = `${page.protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === page.host;
}

function splitUrl(url: string): readonly [path: string, query: string] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
