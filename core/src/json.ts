import { hubError } from './errors.js';

const scanDepth = 64;

/**
 * Writes a value as JSON, as clients of both generations read it: bytes as base64, dates as ISO text, an object's own
 * `toJSON` honoured, a bigint as a number if it is a safe integer. `path` names the value in the error.
 *
 * Throws `HUB_CANNOT_ENCODE` for what JSON cannot express: cycles, other bigints, nesting without end.
 */
export function writeJson(value: unknown, path: string): string {
  if (typeof value === 'string' || typeof value === 'number' || value === null) return JSON.stringify(value);
  try {
    return (isPlain(value, 0) ? JSON.stringify(value) : JSON.stringify(value, replace)) ?? 'null';
  } catch (error) {
    throw hubError('HUB_CANNOT_ENCODE', culpritOf(value, path, error), error);
  }
}

/** Writes each of several values, so that an error names the one that failed; gives `[…]`. */
export function writeJsonList(values: readonly unknown[], path: string): string {
  let text = '[';
  for (let index = 0; index < values.length; index++) {
    if (index > 0) text += ',';
    text += writeJson(values[index], `${path}[${index}]`);
  }
  return `${text}]`;
}

/** Whether `JSON.stringify` alone writes the value as we do; it is five times slower with a replacer. */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'bigint':
      return false;
    case 'object': {
      if (value === null) return true;
      if (depth > scanDepth || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return false;
      if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1));
      if (value instanceof Date) return true;
      if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return false;
      for (const key in value) if (!isPlain((value as Record<string, unknown>)[key], depth + 1)) return false;
      return true;
    }
    default:
      return true;
  }
}

/** `value` has been through `toJSON` already; the holder still has the bytes that a `Buffer` was. */
function replace(this: unknown, key: string, value: unknown): unknown {
  const raw = (this as Record<string, unknown>)[key];
  if (ArrayBuffer.isView(raw)) return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('base64');
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  if (raw instanceof ArrayBuffer) return Buffer.from(raw).toString('base64');
  if (typeof value === 'bigint' && isSafe(value)) return Number(value);
  return value;
}

function isSafe(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
}

function culpritOf(value: unknown, path: string, error: unknown): { path: string; why: string } {
  const why = error instanceof Error ? error.message : String(error);
  try {
    return findCulprit(value, path, [], 0) ?? { path, why };
  } catch {
    // A getter that has thrown before throws again.
    return { path, why };
  }
}

function findCulprit(
  value: unknown,
  path: string,
  above: readonly unknown[],
  depth: number,
): { path: string; why: string } | undefined {
  if (typeof value === 'bigint' && !isSafe(value))
    return { path, why: 'a bigint beyond the safe integers has no JSON form; send it as a text' };
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return undefined;
  if (above.includes(value)) return { path, why: 'it contains itself' };
  if (depth > 1_000) return { path: shorten(path), why: 'it is nested without end' };
  const inside = [...above, value];
  for (const [key, item] of Object.entries(value)) {
    const place = Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`;
    const found = findCulprit(item, place, inside, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function shorten(path: string): string {
  return path.length > 200 ? `${path.slice(0, 200)}…` : path;
}

/** Reads JSON of a peer. Throws `HUB_MESSAGE_INVALID`, or `HUB_MESSAGE_TOO_DEEP` before anything is made of it. */
export function readJson(text: string, maxDepth: number): unknown {
  if (text.length > 2 * maxDepth && isDeeper(text, maxDepth))
    throw hubError('HUB_MESSAGE_TOO_DEEP', { limit: maxDepth });
  try {
    return JSON.parse(text);
  } catch {
    throw hubError('HUB_MESSAGE_INVALID', { why: 'it is not JSON' });
  }
}

const quote = 0x22;
const backslash = 0x5c;

function isDeeper(text: string, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === backslash) index++;
      else if (code === quote) inString = false;
    } else if (code === quote) inString = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > maxDepth) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

/** Whether a value that was read is an object with members, not a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
