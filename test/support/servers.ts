import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HubServer, type HubPipelineModule, type HubServerOptions, type Logger } from '@hubline/core';
import { atTestEnd } from './cleanup.js';
import { Recorder } from './recorder.js';

/** Where test servers listen. */
export const localhost = '127.0.0.1';

/** One line of a server's log. */
export interface LogLine {
  readonly level: keyof Logger;
  readonly details: object;
  readonly message: string;
}

/** How a test wants its server. */
export interface TestServerOptions extends HubServerOptions {
  /** Added to the pipeline in this order. */
  readonly modules?: readonly HubPipelineModule[];
  /** Does what is left to do with the server before it starts. */
  readonly prepare?: (server: HubServer) => void;
  /** Default: a free one. */
  readonly port?: number;
}

/** A server that listens. */
export interface RunningServer {
  readonly server: HubServer;
  readonly port: number;
  /** `http://127.0.0.1:…`, without a path. */
  readonly url: string;
  readonly log: Recorder<LogLine>;
  /** Stops it before the test is over; its port is free then. */
  readonly stop: (options?: { readonly graceMs?: number }) => Promise<void>;
}

/** The keys of every test server, so that one can go on for another. */
export const testKeys = ['the key of the tests'];

/** A logger that keeps its lines. */
export function recordingLogger(log: Recorder<LogLine>): Logger {
  const at = (level: keyof Logger) => (details: object, message: string) => log.add({ level, details, message });
  return {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
  };
}

/**
 * Starts a server on a port of its own, and stops it when the test is over. Every path that is not Hubline's is an empty
 * page, for browsers.
 */
export async function startServer(options: TestServerOptions): Promise<RunningServer> {
  const { modules = [], prepare, port: wanted = 0, ...rest } = options;
  const log = new Recorder<LogLine>('the log');
  const server = new HubServer({ keys: testKeys, logger: recordingLogger(log), ...rest });
  prepare?.(server);
  for (const module of modules) server.pipeline.add(module);
  const http = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>A page</title>');
  });
  server.attach(http);
  http.listen(wanted, localhost);
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  const stop = (how: { readonly graceMs?: number } = {}): Promise<void> =>
    (stopped ??= (async () => {
      const closed = once(http, 'close');
      http.close();
      await server.stop(how);
      http.closeAllConnections();
      await closed;
    })());
  atTestEnd(() => stop({ graceMs: 0 }));
  return { server, port, url: `http://${localhost}:${port}`, log, stop };
}
