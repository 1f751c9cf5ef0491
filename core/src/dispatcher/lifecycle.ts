import { attempt, isPromise, type Awaitable } from '../awaitable.js';
import type { ConnectionRecord } from '../connections/connection-record.js';
import type { HubLink } from '../connections/subscriptions.js';
import type { EndedAs } from '../connections/connection-registry.js';
import type { ConnectionRequest, DisconnectReason } from '../connections/connection.js';
import { HubException, hubError } from '../errors.js';
import type { HubDescriptor } from '../hubs/hub-descriptor.js';
import type { Hub } from '../hubs/hub.js';
import type { PipelineChains } from '../pipeline/hub-pipeline.js';
import {
  AuthorizeConnectContext,
  ConnectContext,
  DisconnectContext,
  ReconnectContext,
} from '../pipeline/stage-contexts.js';
import type { ConnectionEvent, ContextServices } from '../pipeline/stage-context.js';
import type { User } from '../security/user.js';
import type { TransportEnding } from '../wire/transport.js';
import { withDeadline } from './deadline.js';
import type { DispatcherGround } from './dispatcher-ground.js';
import type { HubEvents } from './hub-events.js';
import { Refusal } from './refusal.js';

/** Which of the listed hubs a user may connect to. */
export interface Admission {
  readonly allowed: readonly HubDescriptor[];
  readonly refused: readonly HubDescriptor[];
}

/** The events of a connection's life: authorization, `connect`, and the one `disconnect`. */
export class Lifecycle {
  private readonly ending = new Set<Promise<unknown>>();
  private readonly told = new WeakSet<DisconnectContext>();

  constructor(
    private readonly ground: DispatcherGround,
    private readonly services: ContextServices,
    private readonly events: HubEvents,
    private readonly chains: () => PipelineChains,
  ) {}

  // What the chains end in.

  connectHub(context: ConnectContext): Awaitable<void> {
    return this.callHub(context, context.hub.handles.connected, (hub) => hub.onConnected());
  }

  reconnectHub(context: ReconnectContext): Awaitable<void> {
    // A module that goes on after its deadline must not reach the hub any more.
    if (context.isOver) throw new Refusal(503, 'The resume is over.');
    return this.callHub(context, context.hub.handles.reconnected, (hub) => hub.onReconnected(context.resume));
  }

  disconnectHub(context: DisconnectContext): Awaitable<void> {
    this.told.add(context);
    return this.callHub(context, context.hub.handles.disconnected, (hub) => hub.onDisconnected(context.reason));
  }

  /** Asks for each hub whether the user may connect to it; throws a `Refusal` if that cannot be told. */
  async authorize(
    hubs: readonly HubDescriptor[],
    request: ConnectionRequest,
    user: User,
    record: ConnectionRecord | undefined,
  ): Promise<Admission> {
    const answers = await Promise.all(hubs.map((hub) => this.authorizeHub(hub, request, user, record)));
    return {
      allowed: hubs.filter((_, index) => answers[index]),
      refused: hubs.filter((_, index) => !answers[index]),
    };
  }

  /** Whether calls of a hub that no request listed are allowed; asked once for each connection. */
  admit(record: ConnectionRecord, hub: HubDescriptor): Awaitable<boolean> {
    const link = record.subscriptions.link(hub.key);
    if (link.refused) return false;
    if (link.admitted !== undefined) return link.admitted;
    const answer = this.authorizeHub(hub, record.request, record.user, record).then(
      (allowed) => (link.admitted = allowed),
      (error: unknown) => {
        // Not an answer: the next call asks again.
        link.admitted = undefined;
        throw error;
      },
    );
    link.admitted = answer;
    return answer;
  }

  /** Runs `connect` once; everybody who asks shares the outcome. Throws a `Refusal`. */
  connect(record: ConnectionRecord): Promise<void> {
    if (record.connecting === undefined && record.state === 'ended')
      return Promise.reject(new Refusal(503, 'The connection has ended.'));
    // A connection that has resumed is confirmed by that.
    if (record.connecting === undefined && record.state !== 'opening')
      return record.resuming?.outcome.then(() => undefined) ?? Promise.resolve();
    return (record.connecting ??= this.runConnect(record));
  }

  /** Runs a first event of a hub, and notes that a `disconnect` is owed when it has completed, however late. */
  begin(
    record: ConnectionRecord,
    hub: HubDescriptor,
    context: ConnectionEvent,
    work: () => Awaitable<void>,
  ): Promise<void> {
    const link = record.subscriptions.link(hub.key);
    const event = this.runEvent(context, work).then(() => {
      link.begun = true;
    });
    // An event that outlasted its deadline still runs, and the last event waits for it too.
    const running = Promise.allSettled([link.running, event]);
    link.running = running;
    void running.then(() => {
      if (link.running === running) link.running = undefined;
    });
    return event;
  }

  /** Ends a connection, and tells its hubs once. Settles when they have been told; at once if it had ended. */
  end(record: ConnectionRecord, reason: DisconnectReason, ending: TransportEnding, how: EndedAs): Promise<void> {
    if (!record.end(reason, ending)) return Promise.resolve();
    this.ground.registry.remove(record);
    this.ground.registry.remember(record.id, how);
    return this.tellAll(record, reason);
  }

  /** Tells every hub whose first event has completed, after that and not beside it. */
  tellAll(record: ConnectionRecord, reason: DisconnectReason): Promise<void> {
    return Promise.all([...record.hubs.values()].map((link) => this.tell(record, link, reason))).then(() => undefined);
  }

  /** Tells one hub that it is over, if it is owed that. Never rejects. */
  tell(record: ConnectionRecord, link: HubLink, reason: DisconnectReason): Promise<void> {
    const told = this.tellAfterFirst(record, link, reason);
    this.ending.add(told);
    void told.then(() => this.ending.delete(told));
    return told;
  }

  private async tellAfterFirst(record: ConnectionRecord, link: HubLink, reason: DisconnectReason): Promise<void> {
    await link.running;
    const hub = this.ground.hubs.get(link.hub);
    if (!link.begun || hub === undefined) return;
    link.begun = false;
    const context = new DisconnectContext(hub, this.services, record, reason);
    try {
      await this.runEvent(context, async () => {
        try {
          await this.chains().disconnect(context);
        } catch (error) {
          if (this.told.has(context)) throw error;
          this.report(error, hub, 'disconnect');
          await this.disconnectHub(context);
        }
      });
    } catch (error) {
      this.report(error, hub, 'disconnect');
    }
  }

  /** Settles when every hub that is being told has been. */
  async settled(): Promise<void> {
    await Promise.all(this.ending);
  }

  report(cause: unknown, hub: HubDescriptor, stage: string): void {
    if (HubException.is(cause)) {
      this.ground.logger.debug({ error: cause, hub: hub.name, stage }, 'An event of a hub was refused.');
      return;
    }
    const error = hubError('HUB_EVENT_FAILED', { hub: hub.name, stage }, cause);
    this.ground.logger.error({ error, hub: hub.name, stage }, 'An event of a hub failed.');
  }

  private async runConnect(record: ConnectionRecord): Promise<void> {
    const hubs = [...record.hubs.values()].flatMap((link) => {
      const hub = link.listening ? this.ground.hubs.get(link.hub) : undefined;
      return hub === undefined ? [] : [hub];
    });
    const outcomes = await Promise.allSettled(
      hubs.map((hub) => {
        const context = new ConnectContext(hub, this.services, record);
        return this.begin(record, hub, context, () => this.chains().connect(context));
      }),
    );
    const failures = outcomes.flatMap((outcome, index) => {
      if (outcome.status === 'fulfilled') return [];
      this.report(outcome.reason, hubs[index] as HubDescriptor, 'connect');
      return [outcome.reason as unknown];
    });
    if (failures.length > 0) {
      const message = HubException.is(failures[0]) ? failures[0].message : undefined;
      const ending = { kind: 'ended', reason: 'error', message, allowReconnect: false } as const;
      void this.end(record, 'error', ending, 'final');
      const refusal = Refusal.from(failures[0]);
      // A connection that could not be confirmed is the server's failure, whatever threw.
      throw new Refusal(refusal.status === 403 ? 500 : refusal.status, message ?? refusal.message, failures[0]);
    }
    if (!record.confirm()) throw new Refusal(503, 'The connection has ended.');
    record.calls.open();
  }

  private async authorizeHub(
    hub: HubDescriptor,
    request: ConnectionRequest,
    user: User,
    record: ConnectionRecord | undefined,
  ): Promise<boolean> {
    const context = new AuthorizeConnectContext(hub, this.services, request, user, record);
    const deadline = {
      stage: 'authorizeConnect',
      hub: hub.name,
      deadlineMs: this.ground.limits.authorizeDeadlineMs,
    } as const;
    try {
      const answer = this.chains().authorizeConnect(context);
      const allowed = isPromise<boolean>(answer)
        ? await withDeadline(this.ground.clock, deadline, () => answer)
        : answer;
      if (typeof allowed !== 'boolean')
        throw hubError('HUB_STAGE_RESULT_INVALID', { stage: 'authorizeConnect', expected: 'true or false' });
      return allowed;
    } catch (error) {
      this.report(error, hub, 'authorizeConnect');
      throw Refusal.from(error);
    }
  }

  private runEvent(context: ConnectionEvent, work: () => Awaitable<void>): Promise<void> {
    return attempt(work).then(
      () => this.events.close(context),
      async (error: unknown) => {
        await this.events.close(context);
        throw error;
      },
    );
  }

  private callHub(context: ConnectionEvent, handles: boolean, event: (hub: Hub) => Awaitable<void>): Awaitable<void> {
    if (!handles) return undefined;
    const hub = this.events.activate(context);
    return isPromise<Hub>(hub) ? hub.then(event) : event(hub);
  }
}
