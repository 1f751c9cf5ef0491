import { randomBytes } from 'node:crypto';
import type { Heartbeat, HeartbeatTimer } from '../../connections/heartbeat.js';
import { Refusal } from '../../dispatcher/refusal.js';

/** A connection that has been negotiated and has no transport yet. */
export interface Negotiated {
  readonly connectionId: string;
  readonly userId: string;
}

interface Waiting extends Negotiated {
  readonly timer: HeartbeatTimer;
}

/** A new id or token: 128 random bits, as base64url. */
export const newId = (): string => randomBytes(16).toString('base64url');

/** Connections that wait for their transport or have it, by the secret that lets a client open it. */
export class Negotiations {
  private readonly waiting = new Map<string, Waiting>();
  private readonly opened = new Set<string>();

  constructor(
    private readonly heartbeat: Heartbeat,
    private readonly limits: { readonly negotiationTimeoutMs: number; readonly maxNegotiationsWaiting: number },
  ) {}

  get size(): number {
    return this.waiting.size;
  }

  /** Notes a connection until its transport comes, or does not. Throws a `Refusal`. */
  add(token: string, negotiated: Negotiated): void {
    if (this.waiting.size >= this.limits.maxNegotiationsWaiting)
      throw new Refusal(503, 'Too many connections are being negotiated.');
    const timer = this.heartbeat.after(this.limits.negotiationTimeoutMs, () => this.waiting.delete(token));
    this.waiting.set(token, { ...negotiated, timer });
  }

  /** A connection that waits. Throws a `Refusal` if it has its transport, or is not known. */
  find(token: string): Negotiated {
    const found = this.waiting.get(token);
    if (found !== undefined) return found;
    throw this.opened.has(token) ? new Refusal(409, '') : new Refusal(404, 'No Connection with that ID');
  }

  /** Its transport is there, until that closes. */
  open(token: string, transport: { once(event: 'close', callback: () => void): unknown }): void {
    this.waiting.get(token)?.timer.cancel();
    this.waiting.delete(token);
    this.opened.add(token);
    transport.once('close', () => this.opened.delete(token));
  }
}

/** What `negotiateVersion` asks for; an answer with an error where it cannot be read. */
export function negotiateVersion(asked: string | undefined): { readonly version: 0 | 1 } | { readonly error: string } {
  if (asked === undefined) return { version: 0 };
  if (!/^[+-]?\d{1,9}$/.test(asked)) return { error: 'The client requested a non-integer protocol version.' };
  const version = Number.parseInt(asked, 10);
  if (version < 0)
    return { error: `The client requested version '${version}', but the server does not support this version.` };
  return { version: version === 0 ? 0 : 1 };
}
