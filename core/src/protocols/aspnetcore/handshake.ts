import { isRecord, readJson } from '../../json.js';
import { recordSeparator } from './json-protocol.js';

/** The newest version of the protocols that is spoken; every lower one is accepted. */
const newestVersion = 2;

/** What became of a handshake: accepted, or the text that the client is told. */
export type Handshake = { readonly accepted: true } | { readonly accepted: false; readonly error: string };

export const acceptedHandshake = `{}${recordSeparator}`;

export const timedOut = 'Handshake was canceled.';

export function refusedHandshake(error: string): string {
  return `{"error":${JSON.stringify(error)}}${recordSeparator}`;
}

/** Judges a handshake request, without its separator. */
export function judgeHandshake(text: string, detailed: boolean): Handshake {
  const malformed = (detail: string): Handshake => {
    const error = 'An unexpected error occurred during connection handshake.';
    return { accepted: false, error: detailed ? `${error} InvalidDataException: ${detail}` : error };
  };
  let request: unknown;
  try {
    request = readJson(text, 8);
  } catch {
    return malformed('Error reading JSON.');
  }
  if (!isRecord(request)) return malformed('Unexpected JSON Token Type. Expected a JSON Object.');
  const { protocol, version } = request;
  if (typeof protocol !== 'string') return malformed("Missing required property 'protocol'.");
  if (!Number.isInteger(version)) return malformed("Missing required property 'version'.");
  if (protocol.toLowerCase() !== 'json')
    return { accepted: false, error: `The protocol '${protocol}' is not supported.` };
  if ((version as number) > newestVersion) {
    const error = `The server does not support version ${String(version)} of the '${protocol}' protocol.`;
    return { accepted: false, error };
  }
  return { accepted: true };
}
