import type { Clock } from '../clock.js';
import type { Connection, ConnectionRequest } from '../connections/connection.js';
import { hubError } from '../errors.js';
import type { ClientContract } from '../hubs/clients.js';
import type { HubScope } from '../hubs/hub-activator.js';
import type { HubCallerContext } from '../hubs/hub-caller-context.js';
import type { HubDescriptor } from '../hubs/hub-descriptor.js';
import type { HubHandle } from '../hubs/hub-handle.js';
import type { Logger } from '../logger.js';
import type { User } from '../security/user.js';

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
