import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { AddressInfo, Socket } from 'node:net';
import { HubServer } from '@hubline/core';
import { atTestEnd } from './cleanup.js';
import { Recorder } from './recorder.js';
import { localhost, recordingLogger, testKeys, type LogLine, type TestServerOptions } from './servers.js';

const require = createRequire(import.meta.url);
const bundle = (name: string, file: string): string =>
  join(dirname(require.resolve(`${name}/package.json`)), 'dist/browser', file);

/** Where the page of the clients is. */
export const pagePath = '/page-of-the-clients';

const scripts: Readonly<Record<string, string>> = {
  '/signalr.min.js': bundle('@microsoft/signalr', 'signalr.min.js'),
  '/msgpack.min.js': bundle('@microsoft/signalr-protocol-msgpack', 'signalr-protocol-msgpack.min.js'),
};

/** The official bundles, in the order in which a page loads them. */
export const scriptPaths = Object.keys(scripts);

/** An application with pages of its own, and a hub server attached to it. */
export interface Site {
  readonly server: HubServer;
  readonly http: Server;
  readonly port: number;
  /** `http://127.0.0.1:…`, without a path. */
  readonly url: string;
  readonly log: Recorder<LogLine>;
  /** Open connections, as the server sees them. */
  readonly sockets: ReadonlySet<Socket>;
  /** How much it has read of all that are open. */
  bytesRead(): number;
}

/** Serves the page and the official bundles; everything else is not found. */
export function servePages(request: IncomingMessage, response: ServerResponse): void {
  const [path = '/'] = (request.url ?? '/').split('?');
  const script = scripts[path];
  if (script !== undefined) {
    response.setHeader('Content-Type', 'text/javascript; charset=utf-8').end(readFileSync(script));
  } else if (path === pagePath) {
    response.setHeader('Content-Type', 'text/html; charset=utf-8').end('<!doctype html><title>clients</title>');
  } else {
    response.writeHead(404, { 'Content-Type': 'text/plain' }).end('The application has no such page.');
  }
}

/** Makes a server, and attaches it to the server of an application. */
export function attachHubs(http: Server, options: TestServerOptions): Pick<Site, 'server' | 'log'> {
  const { modules = [], prepare, port: _port, ...rest } = options;
  const log = new Recorder<LogLine>('the log');
  const server = new HubServer({ keys: testKeys, logger: recordingLogger(log), ...rest });
  prepare?.(server);
  for (const module of modules) server.pipeline.add(module);
  server.attach(http);
  atTestEnd(() => server.stop({ graceMs: 0 }));
  return { server, log };
}

/** Listens until the test is over. */
export async function listenOn(http: Server): Promise<Pick<Site, 'port' | 'url' | 'sockets' | 'bytesRead'>> {
  const sockets = new Set<Socket>();
  http.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  http.listen(0, localhost);
  await once(http, 'listening');
  atTestEnd(async () => {
    http.close();
    for (const socket of sockets) socket.destroy();
    await once(http, 'close');
  });
  const { port } = http.address() as AddressInfo;
  const bytesRead = (): number => [...sockets].reduce((sum, socket) => sum + socket.bytesRead, 0);
  return { port, url: `http://${localhost}:${port}`, sockets, bytesRead };
}

/** Starts an application with hubs, until the test is over. */
export async function startSite(options: TestServerOptions): Promise<Site> {
  const http = createServer(servePages);
  const attached = attachHubs(http, options);
  return { ...attached, http, ...(await listenOn(http)) };
}
