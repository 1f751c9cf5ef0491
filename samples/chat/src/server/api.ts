import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HubHandle, HubServer } from '@hubline/core';
import type { ChatClient, Member } from './chat-contract.js';
import { ChatHub } from './chat-hub.js';
import type { ChatStore } from './chat-store.js';
import type { NetworkSwitch } from './network-switch.js';
import type { Presence } from './presence.js';
import { Sessions } from './sessions.js';

const maxBodyBytes = 4_096;
const loopback = /^(?:::1|(?:::ffff:)?127(?:\.\d+){3})$/;
const loopbackHost = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;

/** What the API works on. */
export interface ApiParts {
  readonly store: ChatStore;
  readonly presence: Presence;
  readonly sessions: Sessions;
  readonly network: NetworkSwitch;
  readonly server: HubServer;
}

type Body = Readonly<Record<string, unknown>>;
type Route = (request: IncomingMessage, page: string | null, body: Body, response: ServerResponse) => unknown;

/** An answer that is an error, in words for the person in front of the page. */
class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** What the pages ask for outside of the hub: signing in, pulling the plug, and the administrator's acts. */
export class Api {
  private readonly routes: Readonly<Record<string, Route>> = {
    'GET /api/session': ({ headers }, page) => ({ name: this.parts.sessions.find(headers.cookie, page)?.name ?? null }),
    'POST /api/session': (request, page, body, response) => this.signIn(request, page, body, response),
    'DELETE /api/session': (_request, page, _body, response) => this.signOut(page, response),
    'POST /api/network/cut': (request, page) => this.cut(request, page),
    'GET /api/admin/members': (request) => this.asAdministrator(request, () => this.overview()),
    'POST /api/admin/add': (request, _page, body) => this.asAdministrator(request, () => this.add(body)),
    'POST /api/admin/remove': (request, _page, body) => this.asAdministrator(request, () => this.remove(body)),
  };

  constructor(private readonly parts: ApiParts) {}

  async handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    try {
      const route = this.routes[`${request.method ?? ''} ${url.pathname}`];
      if (route === undefined) throw new ApiError(404, 'There is nothing here.');
      if (request.method !== 'GET') checkOrigin(request);
      const body = request.method === 'POST' ? await readBody(request) : {};
      const answer = await route(request, url.searchParams.get('page'), body, response);
      send(response, 200, answer ?? {});
    } catch (error) {
      if (error instanceof ApiError) send(response, error.status, { error: error.message });
      else {
        console.error(error);
        send(response, 500, { error: 'The server failed. Its log says more.' });
      }
    }
  }

  private signIn(request: IncomingMessage, page: string | null, { name }: Body, response: ServerResponse): unknown {
    if (!Sessions.isPage(page)) throw new ApiError(400, 'This page has no id.');
    const problem = Sessions.whyNot(name);
    if (problem !== undefined) throw new ApiError(400, problem);
    const cookies = this.parts.sessions.signIn(String(name), page, request.headers.cookie);
    response.setHeader('Set-Cookie', cookies);
    return this.parts.sessions.find(cookies[0]?.split(';')[0], page);
  }

  private signOut(page: string | null, response: ServerResponse): void {
    if (Sessions.isPage(page)) response.setHeader('Set-Cookie', this.parts.sessions.signOut(page));
  }

  private cut({ headers }: IncomingMessage, page: string | null): void {
    const person = this.parts.sessions.find(headers.cookie, page);
    if (person === undefined) throw new ApiError(401, 'Nobody is signed in on this page.');
    this.parts.network.cut(ownerOf(person.id, page));
  }

  private overview(): { members: readonly Member[]; rooms: readonly string[] } {
    const { store, presence } = this.parts;
    const members = store.people().map((person) => ({
      ...person,
      rooms: store.roomsOf(person.id),
      connections: presence.of(person.id).map(({ id, protocol, state }) => ({ id, protocol, state })),
    }));
    return { members, rooms: store.rooms().map(({ name }) => name) };
  }

  /** Who is cut off is not joined here: the module does it when they come back. */
  private async add(body: Body): Promise<void> {
    const { user, room } = this.readMembership(body);
    this.parts.store.join(user, room);
    const here = await this.forEachHere(user, (connectionId) => this.chat.groups.add(room, { connectionId }));
    if (here > 0) await this.chat.clients.user(user).entered(room);
  }

  /**
   * The database forgets the membership, and who is connected leaves the group. Who is cut off is left to the module,
   * which asks the database when they come back; or the membership is revoked, and then they do not even claim it.
   */
  private async remove(body: Body): Promise<void> {
    const { user, room } = this.readMembership(body);
    this.parts.store.leave(user, room);
    if (body.by === 'revocation') this.parts.server.groups.revoke({ hub: ChatHub, user, group: room });
    else await this.forEachHere(user, (connectionId) => this.chat.groups.remove(room, { connectionId }));
    await this.chat.clients.user(user).exited(room, 'administrator');
  }

  private async forEachHere(user: string, change: (connectionId: string) => Promise<unknown>): Promise<number> {
    const here = this.parts.presence.of(user).filter(({ state }) => state !== 'waiting');
    await Promise.all(here.map(({ id }) => change(id)));
    return here.length;
  }

  private readMembership({ user, room }: Body): { user: string; room: string } {
    const { store } = this.parts;
    if (typeof user !== 'string' || store.find(user) === undefined) throw new ApiError(404, 'Nobody has that name.');
    if (typeof room !== 'string' || !store.hasRoom(room)) throw new ApiError(404, 'There is no such room.');
    return { user, room };
  }

  /** Without a password, the administrator is whoever sits at this machine. A name that leads here is not enough. */
  private asAdministrator(request: IncomingMessage, act: () => unknown): unknown {
    const { remoteAddress = '' } = request.socket;
    if (!loopback.test(remoteAddress) || !loopbackHost.test(request.headers.host ?? ''))
      throw new ApiError(403, 'The administrator’s page works on the machine that runs the server only.');
    return act();
  }

  private get chat(): HubHandle<ChatClient> {
    return this.parts.server.hub(ChatHub);
  }
}

/** Whose sockets are cut together: those of one page. */
export function ownerOf(user: string, page: string | null): string {
  return JSON.stringify([user, page]);
}

/** Other sites' pages must not act in the name of who is signed in here. */
function checkOrigin({ headers: { origin, host } }: IncomingMessage): void {
  if (origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)) return;
  throw new ApiError(403, 'This page may not do that.');
}

async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new ApiError(413, 'That is too much.');
    chunks.push(chunk);
  }
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString() || '{}');
    return typeof body === 'object' && body !== null ? (body as Body) : {};
  } catch {
    throw new ApiError(400, 'That is not JSON.');
  }
}

function send(response: ServerResponse, status: number, answer: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify(answer));
}
