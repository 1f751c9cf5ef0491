import { hubError } from '../../errors.js';
import { isRecord, readJson, writeJson } from '../../json.js';
import type { EncodedValue, InboundCall, OutboundCall } from '../../wire/hub-message.js';
import type { Framing, HubProtocol } from '../../wire/hub-protocol.js';

/** A classic call with the id that its answer carries. */
export interface ClassicCall extends InboundCall {
  /** The id as the client sent it; `undefined` if it waits for no answer. */
  readonly id: string | undefined;
}

/** The limits of what a classic client may send. */
export interface ClassicLimits {
  readonly maxJsonDepth: number;
  readonly maxStateLength: number;
}

type State = Readonly<Record<string, unknown>> | undefined;

/** Classic JSON: calls are elements of an envelope's `M`. */
export const aspnetProtocol: HubProtocol = {
  name: 'aspnet',
  encodeCall(call: OutboundCall): Uint8Array {
    const state = call.state === undefined ? '' : `,"S":${writeJson(call.state, 'state')}`;
    const name = `{"H":${JSON.stringify(call.hub)},"M":${JSON.stringify(call.method)}`;
    return Buffer.from(`${name},"A":${call.argumentsJson()}${state}}`);
  },
};

const comma = Buffer.from(',');
const envelopeEnd = Buffer.from(']}');

/** Envelopes as WebSockets carry them. */
export const aspnetWebSocketFraming: Framing = { protocol: aspnetProtocol, frame: envelope };

/** The envelope that says that the transport works: the client then confirms the connection. */
export function initEnvelope(cursor: string): string {
  return `{"C":"${cursor}","S":1,"M":[]}`;
}

/** The envelope that stops a client for good, from protocol 2.0 on. */
export function errorEnvelope(message: string): string {
  return `{"E":${JSON.stringify(message)}}`;
}

/** The frame that keeps an idle connection alive; some clients compare its text. */
export const keepAliveFrame = '{}';

/** The cursor and the token are of characters that JSON need not escape. */
function envelope(messages: readonly Uint8Array[], cursor: string, groupsToken: string | undefined): Uint8Array {
  const token = groupsToken === undefined ? '' : `,"G":"${groupsToken}"`;
  const parts: Uint8Array[] = [Buffer.from(`{"C":"${cursor}"${token},"M":[`)];
  for (let index = 0; index < messages.length; index++) {
    if (index > 0) parts.push(comma);
    parts.push(messages[index] as Uint8Array);
  }
  parts.push(envelopeEnd);
  return Buffer.concat(parts);
}

/** Reads a call. Throws `HUB_MESSAGE_INVALID` or `HUB_MESSAGE_TOO_DEEP`. */
export function readCall(text: string, limits: ClassicLimits): ClassicCall {
  const message = readJson(text, limits.maxJsonDepth);
  if (!isRecord(message)) throw invalid('a call is an object');
  const { H: hub, M: method, A: args, I: id, S: state } = message;
  if (typeof hub !== 'string' || typeof method !== 'string') throw invalid('H and M are texts');
  if (args !== undefined && args !== null && !Array.isArray(args)) throw invalid('A is a list');
  if (id !== undefined && id !== null && typeof id !== 'string' && typeof id !== 'number')
    throw invalid('I is a number or a text');
  if (state !== undefined && state !== null && !isRecord(state)) throw invalid('S is an object');
  if (isRecord(state) && JSON.stringify(state).length > limits.maxStateLength)
    throw invalid(`S is longer than ${limits.maxStateLength} characters`);
  return {
    id: id === undefined || id === null ? undefined : String(id),
    hub,
    method,
    arguments: (args ?? []) as readonly unknown[],
    state: state ?? undefined,
  };
}

/** Absent members are left out: clients test whether they are there. */
export function resultFrame(id: string, result: EncodedValue, state: State): string {
  const value = result === 'null' ? '' : `"R":${result as string},`;
  return `{${stateMember(state)}${value}"I":${JSON.stringify(id)}}`;
}

/** What a failed call is told. */
export interface ClassicError {
  readonly text: string;
  /** Whether the application threw it for the client, with `data` as JSON. */
  readonly fromHub: boolean;
  readonly data: string | undefined;
}

export function errorFrame(id: string, error: ClassicError, state: State): string {
  const fromHub = error.fromHub ? '"H":true,' : '';
  const data = error.data === undefined ? '' : `,"D":${error.data}`;
  return `{${stateMember(state)}"I":${JSON.stringify(id)},${fromHub}"E":${JSON.stringify(error.text)}${data}}`;
}

/** Progress is an element of `M`; its outer id matches nothing, so that old clients drop it. */
export function progressMessage(id: string, value: unknown, state: State): Uint8Array {
  const inner = `{"I":${JSON.stringify(id)},"D":${writeJson(value, 'progress')}}`;
  return Buffer.from(`{${stateMember(state)}"I":${JSON.stringify(`P|${id}`)},"P":${inner}}`);
}

function stateMember(state: State): string {
  return state === undefined ? '' : `"S":${writeJson(state, 'state')},`;
}

function invalid(why: string): Error {
  return hubError('HUB_MESSAGE_INVALID', { why });
}
