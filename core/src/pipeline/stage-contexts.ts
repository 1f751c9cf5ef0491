import type { Clock } from '../clock.js';
import type { Connection, ConnectionRequest, DisconnectReason, Resume } from '../connections/connection.js';
import { hubError } from '../errors.js';
import type { ClientContract } from '../hubs/clients.js';
import type { HubScope } from '../hubs/hub-activator.js';
import type { HubCallerContext } from '../hubs/hub-caller-context.js';
import type { HubDescriptor, HubMethodDescriptor } from '../hubs/hub-descriptor.js';
import type { HubHandle } from '../hubs/hub-handle.js';
import type { SendTarget } from '../hubs/hub-sender.js';
import type { Logger } from '../logger.js';
import type { User } from '../security/user.js';
import type { Outcome } from './outcome.js';

/** What every context uses. */
export interface ContextServices {
  readonly clock: Clock;
  readonly logger: Logger;
  handle(hub: HubDescriptor): HubHandle<ClientContract>;
  /** Ends a connection for good, as the server's wish. */
  abort(connection: Connection): void;
}

/** What every stage is given. One instance serves all modules and the hub of one event. See `docs/pipeline.md`. */
export abstract class StageContext {
  abstract readonly user: User | undefined;

  constructor(
    /** The hub; one without methods if a client called a hub that is not there. */
    readonly hub: HubDescriptor,
    protected readonly services: ContextServices,
  ) {}

  /** Where to ask for the time. */
  get clock(): Clock {
    return this.services.clock;
  }

  get logger(): Logger {
    return this.services.logger;
  }

  /** What `server.hub(…)` gives for this hub: a module sends, and changes groups, through it. */
  get handle(): HubHandle<ClientContract> {
    return this.services.handle(this.hub);
  }
}

/** What the stages of a connection's own events are given; hubs have it as their `context`. */
export abstract class ConnectionEvent extends StageContext implements HubCallerContext {
  readonly user: User;
  readonly request: ConnectionRequest;
  /** Settles when all sends that the event has begun are published; `undefined` if none had to wait. @internal */
  pendingSends: Promise<void> | undefined;
  /** Whether the event, with the sends that it began, is over. @internal */
  ended = false;
  /** What the event's hub was made in. @internal */
  ownScope: HubScope | undefined;
  private ownState: Record<string, unknown> | undefined;

  constructor(
    hub: HubDescriptor,
    services: ContextServices,
    readonly connection: Connection,
  ) {
    super(hub, services);
    this.user = connection.user;
    this.request = connection.request;
    this.pendingSends = undefined;
    this.ownScope = undefined;
    this.ownState = undefined;
  }

  get connectionId(): string {
    return this.connection.id;
  }

  get items(): Map<unknown, unknown> {
    return this.connection.items;
  }

  get signal(): AbortSignal {
    return this.connection.signal;
  }

  /** The caller's state as its call carried it; what is written is told to a classic caller. Throws `HUB_CALL_ENDED`. */
  get state(): Record<string, unknown> {
    if (this.ended) throw hubError('HUB_CALL_ENDED', { member: 'state' });
    return (this.ownState ??= { ...this.givenState() });
  }

  /** Ends the connection; its client does not come back by itself. */
  abort(): void {
    this.services.abort(this.connection);
  }

  /** Tells a classic caller how far its call is; nothing for others, and outside a call. Throws `HUB_CALL_ENDED`. */
  progress(value: unknown): void {
    if (this.ended) throw hubError('HUB_CALL_ENDED', { member: 'progress' });
    this.report(value);
  }

  /** The keys of the caller's state that were given another value. @internal */
  stateChanges(): Readonly<Record<string, unknown>> | undefined {
    if (this.ownState === undefined) return undefined;
    const given = this.givenState();
    let changes: Record<string, unknown> | undefined;
    for (const [key, value] of Object.entries(this.ownState)) if (value !== given?.[key]) (changes ??= {})[key] = value;
    return changes;
  }

  protected givenState(): Readonly<Record<string, unknown>> | undefined {
    return undefined;
  }

  protected report(_value: unknown): void {
    // Only a call has somebody to tell.
  }
}

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
