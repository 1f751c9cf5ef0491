import type { Position } from '../messaging/position.js';
import type { User } from '../security/user.js';
import type { HubProtocol } from '../wire/hub-protocol.js';
import type { ConnectionRequest } from './connection.js';

/** What the wire family says about a connection when it makes one. */
export interface ConnectionTraits {
  readonly protocol: HubProtocol;
  /** How long a lost transport is waited for; `undefined` where a lost transport ends the connection. */
  readonly disconnectTimeoutMs: number | undefined;
  /** Whether its client carries a groups token. */
  readonly groupsToken: boolean;
  /** How many of its calls run beside each other. */
  readonly parallelCalls: number;
}

/** A request that becomes the connection's transport. */
export interface TransportRequest {
  readonly request: ConnectionRequest;
  readonly user: User;
  /** Requests in the order in which they came; a stage may let a later one through first. */
  readonly arrival: number;
}

/** What the hubs were told at a resume. */
export interface ResumeOutcome {
  /** Whether nothing that the client missed is lost. */
  readonly complete: boolean;
  /** The place at which that was so. */
  readonly upTo: Position;
}
