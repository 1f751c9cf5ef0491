import { hubError } from '../../errors.js';
import { isRecord, readJson } from '../../json.js';
import type { EncodedValue, OutboundCall } from '../../wire/hub-message.js';
import type { Framing, HubProtocol } from '../../wire/hub-protocol.js';

/** Ends every message. */
export const recordSeparator = '\u001e';
const separatorByte = 0x1e;

/** What a client can say; everything else is refused or ignored. */
export type ClientMessage =
  | {
      readonly kind: 'invocation';
      /** `undefined` if the client waits for no answer. */
      readonly id: string | undefined;
      readonly target: string;
      readonly arguments: readonly unknown[];
      readonly streamIds: readonly unknown[];
    }
  | { readonly kind: 'stream-invocation'; readonly id: string; readonly target: string }
  | { readonly kind: 'ping' }
  | { readonly kind: 'close'; readonly error: string | undefined }
  | { readonly kind: 'ignored' };

/** ASP.NET Core's JSON: one hub per connection, so calls do not name it. */
export const jsonProtocol: HubProtocol = {
  name: 'json',
  encodeCall(call: OutboundCall): Uint8Array {
    const target = JSON.stringify(call.method);
    return Buffer.from(`{"type":1,"target":${target},"arguments":${call.argumentsJson()}}${recordSeparator}`);
  },
};

/** Messages end themselves, and there is no cursor: frames are just messages. */
export const jsonFraming: Framing = {
  protocol: jsonProtocol,
  frame: (messages) => (messages.length === 1 ? (messages[0] as Uint8Array) : Buffer.concat(messages)),
};

export const pingFrame = `{"type":6}${recordSeparator}`;

export function closeFrame(error: string | undefined, allowReconnect: boolean): string {
  const text = error === undefined ? '' : `,"error":${JSON.stringify(error)}`;
  return `{"type":7${text}${allowReconnect ? ',"allowReconnect":true' : ''}}${recordSeparator}`;
}

export function resultFrame(id: string, result: EncodedValue): string {
  return `{"type":3,"invocationId":${JSON.stringify(id)},"result":${result as string}}${recordSeparator}`;
}

export function errorFrame(id: string, error: string): string {
  return `{"type":3,"invocationId":${JSON.stringify(id)},"error":${JSON.stringify(error)}}${recordSeparator}`;
}

/** Takes complete messages out of a stream of bytes. */
export class MessageSplitter {
  private rest: Buffer | undefined;

  constructor(private readonly maxBytes: number) {}

  /** Complete messages without their separators. Throws `HUB_MESSAGE_TOO_LARGE`. */
  split(chunk: Buffer): readonly string[] {
    const bytes = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
    // What was there before held no separator.
    let end = bytes.indexOf(separatorByte, this.rest?.length ?? 0);
    this.rest = undefined;
    const messages: string[] = [];
    let start = 0;
    for (; end >= 0; end = bytes.indexOf(separatorByte, start)) {
      if (end + 1 - start > this.maxBytes) throw tooLarge(this.maxBytes);
      messages.push(bytes.toString('utf8', start, end));
      start = end + 1;
      if (start === bytes.length) return messages;
    }
    if (bytes.length - start > this.maxBytes) throw tooLarge(this.maxBytes);
    this.rest = Buffer.from(bytes.subarray(start));
    return messages;
  }
}

/** Reads a message. Throws `HUB_MESSAGE_INVALID` or `HUB_MESSAGE_TOO_DEEP`. */
export function readMessage(text: string, maxDepth: number): ClientMessage {
  const message = readJson(text, maxDepth);
  if (!isRecord(message)) throw invalid('a message is an object');
  const { type } = message;
  if (typeof type !== 'number') throw invalid("'type' is a number");
  switch (type) {
    case 1:
      return {
        kind: 'invocation',
        id: idOf(message),
        target: targetOf(message),
        arguments: listOf(message, 'arguments'),
        streamIds: message['streamIds'] === undefined ? [] : listOf(message, 'streamIds'),
      };
    case 4: {
      const id = idOf(message);
      if (id === undefined) throw invalid("a stream invocation has an 'invocationId'");
      listOf(message, 'arguments');
      return { kind: 'stream-invocation', id, target: targetOf(message) };
    }
    case 6:
      return { kind: 'ping' };
    case 7:
      return { kind: 'close', error: typeof message['error'] === 'string' ? message['error'] : undefined };
    default:
      return { kind: 'ignored' };
  }
}

function idOf(message: Record<string, unknown>): string | undefined {
  const { invocationId } = message;
  if (invocationId === undefined || invocationId === '') return undefined;
  if (typeof invocationId !== 'string') throw invalid("'invocationId' is a text");
  return invocationId;
}

function targetOf({ target }: Record<string, unknown>): string {
  if (typeof target !== 'string' || target === '') throw invalid("'target' is a text that is not empty");
  return target;
}

function listOf(message: Record<string, unknown>, name: string): readonly unknown[] {
  const list = message[name];
  if (!Array.isArray(list)) throw invalid(`'${name}' is a list`);
  return list as readonly unknown[];
}

function invalid(why: string): Error {
  return hubError('HUB_MESSAGE_INVALID', { why });
}

function tooLarge(limitBytes: number): Error {
  return hubError('HUB_MESSAGE_TOO_LARGE', { limitBytes });
}
