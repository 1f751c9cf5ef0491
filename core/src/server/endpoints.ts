import type { IncomingMessage } from 'node:http';
import type { Endpoint } from '../protocols/endpoint.js';
import type { RequestUrl } from './request-gate.js';

type Family = 'aspnet' | 'aspnetcore';

interface Mapped {
  readonly family: Family;
  readonly path: string;
  readonly endpoint: Endpoint;
}

/** An endpoint that a request is for, and what stands behind its path. */
export interface Match {
  readonly endpoint: Endpoint;
  readonly suffix: string;
}

const classicSuffix = /\/(negotiate|connect|start|reconnect|poll|send|abort|ping|hubs|js)\/?$/;
const classicMembers = ['clientProtocol', 'connectionData', 'transport', 'connectionToken'];

/** Which requests are ours: by the endpoint's path in whole segments, then by the end of the path. Case does not count. */
export class Endpoints {
  private readonly mapped: Mapped[] = [];

  map(family: Family, path: string, endpoint: Endpoint): void {
    this.mapped.push({ family, path: normalize(path), endpoint });
  }

  [Symbol.iterator](): IterableIterator<Endpoint> {
    return this.mapped.map(({ endpoint }) => endpoint)[Symbol.iterator]();
  }

  match(request: IncomingMessage, url: RequestUrl, upgrade: boolean): Match | undefined {
    const path = url.path.toLowerCase().replace(/\/+/g, '/');
    const classic = this.find('aspnet', path);
    if (classic !== undefined && isClassic(request, url, classic.rest)) {
      const suffix = classicSuffix.exec(classic.rest)?.[1];
      return { endpoint: classic.endpoint, suffix: suffix === undefined ? '' : `/${suffix}` };
    }
    const core = this.find('aspnetcore', path);
    if (core !== undefined && isCore(request, url, core.rest, upgrade))
      return { endpoint: core.endpoint, suffix: core.rest.replace(/\/$/, '') };
    return undefined;
  }

  private find(family: Family, path: string): { readonly endpoint: Endpoint; readonly rest: string } | undefined {
    let best: Mapped | undefined;
    for (const candidate of this.mapped) {
      if (candidate.family !== family || !isBelow(path, candidate.path)) continue;
      if (best === undefined || candidate.path.length > best.path.length) best = candidate;
    }
    if (best === undefined) return undefined;
    return { endpoint: best.endpoint, rest: path.slice(best.path.length) };
  }
}

/** A classic suffix other than negotiate, or a member that only classic clients send; `GET negotiate` is classic. */
function isClassic(request: IncomingMessage, { query }: RequestUrl, rest: string): boolean {
  const suffix = classicSuffix.exec(rest)?.[1];
  if (classicMembers.some((name) => query.has(name))) return true;
  if (suffix === undefined) return rest === '' || rest === '/';
  return suffix !== 'negotiate' || request.method !== 'POST';
}

/** Negotiate, a WebSocket, or something with an id; the application's own page may live at the same path. */
function isCore(request: IncomingMessage, { query }: RequestUrl, rest: string, upgrade: boolean): boolean {
  if (/^\/negotiate\/?$/.test(rest)) return true;
  if (rest !== '' && rest !== '/') return false;
  return upgrade || query.has('id') || /\btext\/event-stream\b/.test(request.headers.accept ?? '');
}

function isBelow(path: string, mount: string): boolean {
  return path === mount || path.startsWith(`${mount}/`);
}

function normalize(path: string): string {
  const trimmed = `/${path}`.replace(/\/+/g, '/').replace(/\/$/, '');
  return trimmed.toLowerCase();
}
