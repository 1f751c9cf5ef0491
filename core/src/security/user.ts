/**
 * Who makes a request. It is always there: an anonymous user has an empty `id`, which is nobody's topic.
 *
 * Two requests are of the same user if `id` is equal, exactly.
 */
export interface User {
  readonly isAuthenticated: boolean;
  /** What `clients.user(id)` addresses; empty for anonymous users. */
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
  /** When the proof of who this is ends, in milliseconds since 1970. */
  readonly expiresAt?: number | undefined;
}

/** The user of a request that `authenticate` knows nothing of: not authenticated, without id, name, roles and claims. */
export const anonymousUser: User = Object.freeze({
  isAuthenticated: false,
  id: '',
  name: '',
  roles: Object.freeze([]),
  claims: Object.freeze({}),
});

/**
 * A user who has been authenticated: an id is enough.
 *
 * @example
 * ```ts
 * import { createUser } from '@hubline/core';
 *
 * export const ann = createUser({ id: 'ann', roles: ['member'] });
 * ```
 */
export function createUser(user: { readonly id: string } & Partial<Omit<User, 'id' | 'isAuthenticated'>>): User {
  return { isAuthenticated: true, name: user.id, roles: [], claims: {}, ...user };
}
