import { ClassicClient, type ClassicSettings, type MakeHost } from '../../../support/classic-client.js';

/** Where the official client runs. */
export type Driver = () => MakeHost;

/** Listens to everything that the hubs of these tests send. */
export const bothHubs: ClassicSettings['hubs'] = { rooms: ['message', 'note'], news: ['headline'] };
export const roomsOnly: ClassicSettings['hubs'] = { rooms: ['message', 'note'] };

/** A client that has connected; it listens to the hub `rooms` if nothing else is said. */
export async function connected(
  driver: Driver,
  origin: string,
  settings: Partial<ClassicSettings> = {},
): Promise<ClassicClient> {
  const client = await ClassicClient.open(driver(), origin, { hubs: roomsOnly, ...settings });
  return client.start();
}

/** Two or more clients that have connected. */
export function severalConnected(
  driver: Driver,
  origin: string,
  each: readonly Partial<ClassicSettings>[],
): Promise<ClassicClient[]> {
  return Promise.all(each.map((settings) => connected(driver, origin, settings)));
}
