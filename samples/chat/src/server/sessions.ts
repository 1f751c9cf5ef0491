import { createHmac, timingSafeEqual } from 'node:crypto';
import { createUser, type User } from '@hubline/core';
import type { ChatStore, Person } from './chat-store.js';

/** Each page has a cookie of its own, so that two tabs of one browser can be two people. */
const cookiePrefix = 'hubline-chat-';
const maxCookies = 20;
const pageId = /^[a-f0-9-]{8,36}$/;
const names = /^[\p{L}\p{N}](?:[\p{L}\p{N} ._'-]{0,22}[\p{L}\p{N}.])?$/u;

/** Who is signed in on which page: a signed cookie says so. There are no passwords: a name is enough. */
export class Sessions {
  constructor(
    private readonly key: string,
    private readonly store: ChatStore,
  ) {}

  /** Answers why a name cannot be had; `undefined` if it can. */
  static whyNot(name: unknown): string | undefined {
    if (typeof name !== 'string' || name.trim() === '') return 'Please say what you are called.';
    if (!names.test(normalize(name)))
      return 'A name has 1 to 24 letters or digits, with spaces, dots or dashes inside.';
    return undefined;
  }

  static isPage(page: string | null): page is string {
    return page !== null && pageId.test(page);
  }

  find(cookies: string | undefined, page: string | null): Person | undefined {
    if (!Sessions.isPage(page)) return undefined;
    const [id, signature] =
      readCookies(cookies)
        .get(cookiePrefix + page)
        ?.split('.') ?? [];
    if (id === undefined || signature === undefined) return undefined;
    const user = Buffer.from(id, 'base64url').toString();
    if (!isEqual(signature, this.sign(page, user))) return undefined;
    return this.store.find(user);
  }

  /** What `HubServer` asks on every request. */
  authenticate(cookies: string | undefined, page: string | null): User | undefined {
    const person = this.find(cookies, page);
    return person === undefined ? undefined : createUser(person);
  }

  /** Signs in; answers the cookies to set. */
  signIn(name: string, page: string, cookies: string | undefined): readonly string[] {
    const { id } = this.store.welcome(normalize(name));
    const value = `${Buffer.from(id).toString('base64url')}.${this.sign(page, id)}`;
    const others = [...readCookies(cookies).keys()].filter((cookie) => cookie.startsWith(cookiePrefix));
    // Browsers send all of them with every request, and servers take only so much.
    const tooMany = others.filter((cookie) => cookie !== cookiePrefix + page).slice(0, -maxCookies);
    return [setCookie(cookiePrefix + page, value), ...tooMany.map((cookie) => expireCookie(cookie))];
  }

  signOut(page: string): string {
    return expireCookie(cookiePrefix + page);
  }

  private sign(page: string, user: string): string {
    return createHmac('sha256', this.key)
      .update(JSON.stringify(['session', page, user]))
      .digest('base64url');
  }
}

function normalize(name: string): string {
  return name.normalize('NFC').trim().replace(/\s+/g, ' ');
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function setCookie(name: string, value: string): string {
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict`;
}

function expireCookie(name: string): string {
  return `${name}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`;
}

function readCookies(header = ''): Map<string, string> {
  const pairs = header.split(';').map((pair) => pair.trim().split('=', 2));
  return new Map(pairs.flatMap(([name, value]) => (name && value !== undefined ? [[name, value] as const] : [])));
}
