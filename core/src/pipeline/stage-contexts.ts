import type { Connection, ConnectionRequest, DisconnectReason, Resume } from '../connections/connection.js';
import type { HubDescriptor, HubMethodDescriptor } from '../hubs/hub-descriptor.js';
import type { SendTarget } from '../hubs/hub-sender.js';
import type { User } from '../security/user.js';
import type { Outcome } from './outcome.js';
import { ConnectionEvent, StageContext, type ContextServices } from './stage-context.js';

/**
 * May this user connect to this hub? There is no connection yet when a client negotiates.
 *
 * @example
 * ```ts
 * import type { HubPipelineModule } from '@hubline/core';
 *
 * export const onlyFrom = (addresses: readonly string[]): HubPipelineModule => ({
 *   name: 'only-from',
 *   authorizeConnect: ({ request }, next) => addresses.includes(request.remoteAddress ?? '') && next(),
 * });
 * ```
 */
export class AuthorizeConnectContext extends StageContext {
  constructor(
    hub: HubDescriptor,
    services: ContextServices,
    readonly request: ConnectionRequest,
    readonly user: User,
    readonly connection: Connection | undefined,
  ) {
    super(hub, services);
  }
}

/**
 * A connection is confirmed.
 *
 * @example
 * ```ts
 * import { HubException, type HubPipelineModule } from '@hubline/core';
 *
 * export const closedAt = (isClosed: (now: number) => boolean): HubPipelineModule => ({
 *   name: 'closed-at',
 *   connect({ clock }, next) {
 *     if (isClosed(clock.now())) throw new HubException('We are closed.');
 *     return next();
 *   },
 * });
 * ```
 */
export class ConnectContext extends ConnectionEvent {}

/**
 * A connection resumes: which groups of this hub may it be in again?
 *
 * @example
 * ```ts
 * import { type HubServer, RejoiningGroupsModule } from '@hubline/core';
 *
 * export function check(server: HubServer, roomsOf: (user: string) => Promise<readonly string[]>): void {
 *   server.pipeline.replace(RejoiningGroupsModule, {
 *     name: 'membership',
 *     async rejoiningGroups(context) {
 *       const rooms = await roomsOf(context.user.id);
 *       for (const group of context.claimed) if (!rooms.includes(group)) context.refuse(group, 'not a member');
 *       return rooms;
 *     },
 *   });
 * }
 * ```
 */
export class RejoiningGroupsContext extends ConnectionEvent {
  /** Why groups were refused, by name. */
  readonly reasons = new Map<string, string>();

  constructor(
    hub: HubDescriptor,
    services: ContextServices,
    connection: Connection,
    /** The groups that the connection was in: those of its record, else of its verified token. */
    readonly claimed: readonly string[],
  ) {
    super(hub, services, connection);
  }

  /** Says why a group will not be in the answer. The answer decides. */
  refuse(group: string, reason: string): void {
    this.reasons.set(group, reason);
  }
}

/**
 * A connection has resumed; what it missed is delivered after this.
 *
 * @example
 * ```ts
 * import type { HubPipelineModule } from '@hubline/core';
 *
 * export const resumes: HubPipelineModule = {
 *   name: 'resumes',
 *   async reconnect({ logger, user, resume }, next) {
 *     await next();
 *     logger.info({ user: user.id, groups: resume.groups, downForMs: resume.downForMs }, 'back');
 *   },
 * };
 * ```
 */
export class ReconnectContext extends ConnectionEvent {
  /** Whether the resume has been refused while its stages ran. @internal */
  isOver = false;

  constructor(
    hub: HubDescriptor,
    services: ContextServices,
    connection: Connection,
    readonly resume: Resume,
  ) {
    super(hub, services, connection);
  }
}

/**
 * A client calls a hub method.
 *
 * @example
 * ```ts
 * import type { HubPipelineModule } from '@hubline/core';
 *
 * export const trimmed: HubPipelineModule = {
 *   name: 'trimmed',
 *   invoke(context, next) {
 *     context.arguments = context.arguments.map((value) => (typeof value === 'string' ? value.trim() : value));
 *     return next();
 *   },
 * };
 * ```
 */
export class InvokeContext extends ConnectionEvent {
  /** The raw arguments; a module may put others in their place. */
  arguments: readonly unknown[];

  constructor(
    hub: HubDescriptor,
    services: ContextServices,
    connection: Connection,
    /** The name as the client sent it. */
    readonly methodName: string,
    /** `undefined` if the hub has no such method. */
    readonly method: HubMethodDescriptor | undefined,
    args: readonly unknown[],
  ) {
    super(hub, services, connection);
    this.arguments = args;
  }

  /** Makes an outcome of a value of unknown type; `null` of nothing. */
  answer(value?: unknown): Outcome {
    return (value ?? null) as Outcome;
  }
}

/**
 * A connection has ended. Nothing can be refused any more: if a stage fails, the hub is told all the same.
 *
 * @example
 * ```ts
 * import type { HubPipelineModule } from '@hubline/core';
 *
 * export const farewell = (gone: (user: string) => void): HubPipelineModule => ({
 *   name: 'farewell',
 *   async disconnect({ user, reason }, next) {
 *     await next();
 *     if (reason !== 'server-stop') gone(user.id);
 *   },
 * });
 * ```
 */
export class DisconnectContext extends ConnectionEvent {
  constructor(
    hub: HubDescriptor,
    services: ContextServices,
    connection: Connection,
    readonly reason: DisconnectReason,
  ) {
    super(hub, services, connection);
  }
}

/**
 * The server calls clients. The stage runs once for each call, whatever the number of receivers.
 *
 * @example
 * ```ts
 * import type { HubPipelineModule } from '@hubline/core';
 *
 * export const mute = (isMuted: (method: string) => boolean): HubPipelineModule => ({
 *   name: 'mute',
 *   send: ({ method }, next) => (isMuted(method) ? 'dropped' : next()),
 * });
 * ```
 */
export class SendContext extends StageContext {
  /** What is sent; a module may put other arguments in its place. */
  arguments: readonly unknown[];
  /** Settles when the sends that the event began before this one are published. @internal */
  readonly before: Promise<void> | undefined;

  constructor(
    hub: HubDescriptor,
    services: ContextServices,
    /** The event that the send belongs to; `undefined` outside one. */
    readonly call: ConnectionEvent | undefined,
    readonly target: SendTarget,
    readonly method: string,
    args: readonly unknown[],
    before: Promise<void> | undefined,
  ) {
    super(hub, services);
    this.arguments = args;
    this.before = before;
  }

  get user(): User | undefined {
    return this.call?.user;
  }
}
