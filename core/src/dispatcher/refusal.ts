import type { ConnectionRecord } from '../connections/connection-record.js';
import type { ConnectionRegistry } from '../connections/connection-registry.js';
import { HubException, HublineError } from '../errors.js';
import type { User } from '../security/user.js';

/** A request that is refused, as HTTP says it. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Refusal';
  }

  /** Who is not allowed: 401 for somebody unknown, 403 for somebody known. */
  static of(user: User): Refusal {
    return user.isAuthenticated ? new Refusal(403, 'Forbidden.') : new Refusal(401, 'Unauthorized.');
  }

  /** A request that came later has the connection. */
  static overtaken(): Refusal {
    return new Refusal(409, 'A newer request has the connection.');
  }

  /** What a stage that failed means for the request that waited for it. */
  static from(error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    if (HublineError.is(error) && error.code === 'HUB_TOO_MANY_CONNECTIONS')
      return new Refusal(503, 'The server has as many connections as it may.', error);
    if (HublineError.is(error) && error.code === 'HUB_STAGE_DEADLINE')
      return new Refusal(503, 'The server took too long to decide.', error);
    // What was thrown for the client reaches it.
    if (HubException.is(error)) return new Refusal(403, error.message, error);
    if (HublineError.is(error)) return new Refusal(403, 'The connection was refused.', error);
    return new Refusal(500, 'The server failed.', error);
  }
}

/** Takes a connection into the registry. Throws a `Refusal` if there are too many, or the server stops. */
export function register(registry: ConnectionRegistry, record: ConnectionRecord): void {
  if (registry.isClosed) throw new Refusal(503, 'The server is stopping.');
  try {
    registry.add(record);
  } catch (error) {
    throw Refusal.from(error);
  }
}
