import { Refusal } from '../../dispatcher/refusal.js';
import type { HubDescriptor } from '../../hubs/hub-descriptor.js';
import { isRecord, readJson } from '../../json.js';

/** Reads `connectionData`: the hubs that a client listens to. Throws a `Refusal`. */
export function readConnectionData(
  text: string | undefined,
  hubs: ReadonlyMap<string, HubDescriptor>,
  limits: { readonly maxHubsPerConnection: number; readonly maxJsonDepth: number },
): readonly HubDescriptor[] {
  if (text === undefined || text === '') return [];
  let list: unknown;
  try {
    list = readJson(text, limits.maxJsonDepth);
  } catch (error) {
    throw new Refusal(500, 'connectionData could not be read.', error);
  }
  if (list === null) return [];
  if (!Array.isArray(list)) throw new Refusal(500, 'connectionData is not a list.');
  if (list.length > limits.maxHubsPerConnection)
    throw new Refusal(400, `connectionData lists more than ${limits.maxHubsPerConnection} hubs.`);
  const found = new Set<HubDescriptor>();
  for (const item of list as unknown[]) {
    const name = nameOf(item);
    const hub = name === undefined ? undefined : hubs.get(name.toLowerCase());
    if (hub === undefined) throw new Refusal(500, 'connectionData lists a hub that is not there.');
    if (found.has(hub)) throw new Refusal(500, 'connectionData lists a hub twice.');
    found.add(hub);
  }
  return [...found];
}

function nameOf(item: unknown): string | undefined {
  if (!isRecord(item)) return undefined;
  for (const [key, value] of Object.entries(item))
    if (key.toLowerCase() === 'name' && typeof value === 'string') return value;
  return undefined;
}
