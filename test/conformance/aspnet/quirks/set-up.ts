import { ClassicWire, UpgradeRefused, type WireAnswer } from '../../../support/classic-wire.js';
import { Journal } from '../../../support/journal.js';
import { startServer, type TestServerOptions } from '../../../support/servers.js';
import { basics } from '../cases/hubs.js';

/** A server, what passed its pipeline, and a client that speaks by hand. */
export async function setUp(settings: ClassicWire['settings'] = {}, options: Partial<TestServerOptions> = {}) {
  const journal = new Journal();
  const running = await startServer({ ...basics, ...options, modules: [journal, ...(options.modules ?? [])] });
  return { ...running, journal, wire: new ClassicWire(running.url, settings) };
}

/** Goes on for a server that has been stopped: on its port, with its keys. */
export async function goOn(port: number) {
  const journal = new Journal();
  return { ...(await startServer({ ...basics, modules: [journal], port })), journal };
}

/** The status with which an upgrade was refused. */
export async function refusal(opening: Promise<unknown>): Promise<number> {
  try {
    await opening;
  } catch (error) {
    if (error instanceof UpgradeRefused) return error.status;
    throw error;
  }
  throw new Error('The upgrade was accepted.');
}

/** The body of an answer. */
export const json = (answer: WireAnswer) => JSON.parse(answer.body) as Record<string, unknown>;
