import { createServer } from 'node:http';
import { VirtualClock } from '@hubline/core/testing';
import { Journal } from '../../../support/journal.js';
import type { TestServerOptions } from '../../../support/servers.js';
import { attachHubs, listenOn, type Site } from '../../../support/site.js';
import { WireClient, type WireOptions } from '../../../support/wire-client.js';
import { OpsHub, RoomsHub } from '../hubs.js';

/** Where the hub of most tests is. */
export const path = '/rooms';

/** What a client is told that broke the protocol. */
export const brokenClose = '{"type":7,"error":"Connection closed with an error.","allowReconnect":true}';

/** A site whose time stands still. */
export interface WireSite extends Site {
  readonly clock: VirtualClock;
  readonly journal: Journal;
}

export async function serve(options: Partial<TestServerOptions> = {}): Promise<WireSite> {
  const clock = new VirtualClock();
  const journal = new Journal();
  const http = createServer();
  const attached = attachHubs(http, { hubs: [RoomsHub, OpsHub], modules: [journal], clock, ...options });
  return { ...attached, http, ...(await listenOn(http)), clock, journal };
}

/** A site, and a client that has shaken hands. */
export async function connect(options: Partial<TestServerOptions> = {}, wire: WireOptions = {}) {
  const site = await serve(options);
  return { site, client: await WireClient.connect(site.port, path, wire) };
}

/** All disconnects, when none can follow any more. */
export async function disconnects({ server, journal }: WireSite): Promise<string[]> {
  await server.stop({ graceMs: 0 });
  return journal.of('disconnect').map(({ reason }) => reason);
}
