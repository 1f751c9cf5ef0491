import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { join } from 'node:path';
import { factoryActivator, HubServer, RejoiningGroupsModule } from '@hubline/core';
import { Api, ownerOf } from './api.js';
import { ChatHub } from './chat-hub.js';
import { ChatStore } from './chat-store.js';
import { readKey } from './key-file.js';
import { NetworkSwitch } from './network-switch.js';
import { PipelineFeedModule } from './pipeline-feed-module.js';
import { Presence } from './presence.js';
import { RateLimitModule } from './rate-limit-module.js';
import { Sessions } from './sessions.js';
import { serveSite } from './site.js';
import { StoreMembershipModule } from './store-membership-module.js';

/** The sample, put together. */
export interface ChatServer {
  readonly http: Server;
  stop(): Promise<void>;
}

/** Makes the server of the sample; its database and its key live in a folder. */
export function createChatServer(dataFolder: string): ChatServer {
  mkdirSync(dataFolder, { recursive: true });
  const store = new ChatStore(join(dataFolder, 'chat.db'));
  const key = readKey(join(dataFolder, 'key'));
  const sessions = new Sessions(key, store);
  const presence = new Presence();

  const server = new HubServer({
    hubs: [ChatHub],
    activator: factoryActivator([ChatHub, () => new ChatHub(store, presence)]),
    authenticate: ({ headers, query }) => sessions.authenticate(headers.cookie, query.get('page')),
    keys: [key],
  });
  server.pipeline
    .add(
      new PipelineFeedModule(
        () => server.pipeline.inspect(),
        () => server.hub(ChatHub),
      ),
      new RateLimitModule(),
    )
    .replace(RejoiningGroupsModule, new StoreMembershipModule(store));

  const http = createServer();
  const network = new NetworkSwitch();
  const api = new Api({ store, presence, sessions, network, server });
  // `server.attach(http)` would do for the hub; the plug wants to see the sockets that it takes.
  http.on('upgrade', (request, socket, head) => {
    const page = urlOf(request).searchParams.get('page');
    const person = sessions.find(request.headers.cookie, page);
    if (person !== undefined) network.watch(ownerOf(person.id, page), socket);
    if (!server.handleUpgrade(request, socket, head)) socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
  });
  http.on('request', (request, response) => {
    if (server.handleRequest(request, response)) return;
    const url = urlOf(request);
    void (url.pathname.startsWith('/api/')
      ? api.handle(request, response, url)
      : serveSite(request, response, url.pathname));
  });

  return {
    http,
    async stop() {
      await server.stop({ graceMs: 2_000 });
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
      store.close();
    },
  };
}

function urlOf({ url = '/' }: IncomingMessage): URL {
  const base = 'http://localhost';
  return URL.canParse(url, base) ? new URL(url, base) : new URL(base);
}
