import type { Clock } from '../clock.js';

/** Whose membership is revoked: one connection's, or those of all connections of a user. */
export type RevokedMember = { readonly user: string } | { readonly connectionId: string };

/**
 * Memberships that were revoked, for as long as a groups token that was issued before could live. It also counts time
 * for such tokens, so that of a token and a revocation in the same millisecond it is known which came first.
 */
export class Revocations {
  private readonly revoked = new Map<string, number>();
  private last = 0;

  constructor(
    private readonly clock: Clock,
    private readonly lifetimeMs: number,
  ) {}

  get size(): number {
    return this.revoked.size;
  }

  /** A moment, in microseconds since 1970; never the same twice. */
  stamp(): number {
    this.last = Math.max(this.last + 1, this.clock.now() * 1_000);
    return this.last;
  }

  /** Whether a token that was issued at this moment is too old to be believed. */
  isExpired(issuedAt: number): boolean {
    return this.clock.now() * 1_000 - issuedAt >= this.lifetimeMs * 1_000;
  }

  add(hub: string, group: string, member: RevokedMember): void {
    const key = keyOf(hub, group, member);
    this.revoked.delete(key);
    this.revoked.set(key, this.stamp());
  }

  /** Whether a claim of a token issued at `issuedAt` has been revoked since. */
  covers(hub: string, group: string, connectionId: string, userId: string, issuedAt: number): boolean {
    return (
      (this.revoked.get(keyOf(hub, group, { connectionId })) ?? 0) > issuedAt ||
      (userId !== '' && (this.revoked.get(keyOf(hub, group, { user: userId })) ?? 0) > issuedAt)
    );
  }

  /** Forgets what no token can claim any more. */
  sweep(): void {
    for (const [key, at] of this.revoked) {
      if (!this.isExpired(at)) return;
      this.revoked.delete(key);
    }
  }
}

function keyOf(hub: string, group: string, member: RevokedMember): string {
  return JSON.stringify('user' in member ? [hub, group, 'user', member.user] : [hub, group, 'id', member.connectionId]);
}
