import { ConnectionRecord, type RecordGround } from '../connections/connection-record.js';
import type { ConnectionTraits } from '../connections/connection-traits.js';
import type { EndedAs } from '../connections/connection-registry.js';
import type { Connection, ConnectionRequest, DisconnectReason } from '../connections/connection.js';
import { hubError } from '../errors.js';
import { sealGroupsToken } from '../groups/groups-token.js';
import type { RevokedMember } from '../groups/revocations.js';
import type { ClientContract } from '../hubs/clients.js';
import type { HubDescriptor } from '../hubs/hub-descriptor.js';
import { DescribedHubHandle, type HubHandle } from '../hubs/hub-handle.js';
import type { HubPipeline, PipelineChains } from '../pipeline/hub-pipeline.js';
import type { ContextServices } from '../pipeline/stage-context.js';
import type { User } from '../security/user.js';
import type { CallReply, InboundCall } from '../wire/hub-message.js';
import type { TransportEnding } from '../wire/transport.js';
import type { DispatcherGround } from './dispatcher-ground.js';
import { GroupChanges } from './group-changes.js';
import { HubEvents } from './hub-events.js';
import { Invocations } from './invocations.js';
import { Lifecycle, type Admission } from './lifecycle.js';
import { register } from './refusal.js';
import { Rejoining } from './rejoining.js';
import { placeOf } from './replay.js';
import { Resumes, type Resumed, type ResumeRequest } from './resume.js';
import { Sends } from './sends.js';

/** A client that opens a connection. */
export interface OpenRequest {
  readonly connectionId: string;
  readonly user: User;
  readonly request: ConnectionRequest;
  readonly traits: ConnectionTraits;
  /** The place that the connection token names, as the bus writes it. */
  readonly position: string;
}

/**
 * Every event passes here: what a wire family has understood goes through the pipeline to a hub, and the answer back.
 * It knows no family.
 */
export class HubDispatcher implements ContextServices {
  readonly sends: Sends;
  readonly groupChanges: GroupChanges;
  private readonly events: HubEvents;
  private readonly lifecycle: Lifecycle;
  private readonly invocations: Invocations;
  private readonly resumes: Resumes;
  private readonly records: RecordGround;
  private readonly handles = new Map<HubDescriptor, HubHandle<ClientContract>>();
  /** Connections whose groups did not fit into a token: that is logged once. */
  private readonly withTooManyGroups = new WeakSet<ConnectionRecord>();
  private chains: PipelineChains | undefined;

  constructor(readonly ground: DispatcherGround) {
    this.records = {
      bus: ground.bus,
      heartbeat: ground.heartbeat,
      clock: ground.clock,
      maxGroups: ground.limits.maxGroupsPerConnection,
      maxCalls: ground.limits.maxCallsInFlight,
      groupsToken: (record) => this.sealGroups(record),
      lost: (record) => void this.end(record, 'timeout', { kind: 'lost' }, 'resumable'),
    };
    const chains = () => this.chains as PipelineChains;
    this.sends = new Sends(ground, this);
    this.groupChanges = new GroupChanges(ground);
    this.events = new HubEvents(ground, this.sends, this.groupChanges);
    this.lifecycle = new Lifecycle(ground, this, this.events, chains);
    this.invocations = new Invocations(ground, this, this.events, this.lifecycle);
    const rejoining = new Rejoining(ground, this, this.events, this.lifecycle, chains);
    this.resumes = new Resumes(ground, this, rejoining, this.lifecycle, chains, this.records);
  }

  get clock() {
    return this.ground.clock;
  }

  get logger() {
    return this.ground.logger;
  }

  /** Composes the pipeline around what happens in the end. */
  compose(pipeline: HubPipeline): void {
    const { lifecycle, invocations, sends } = this;
    this.chains = pipeline.compose({
      authorizeConnect: () => true,
      connect: (context) => lifecycle.connectHub(context),
      // Without a module that decides, nobody rejoins anything.
      rejoiningGroups: () => [],
      reconnect: (context) => lifecycle.reconnectHub(context),
      invoke: (context) => invocations.invoke(context),
      send: (context) => sends.publish(context),
      disconnect: (context) => lifecycle.disconnectHub(context),
    });
    invocations.chain = this.chains.invoke;
    sends.chain = this.chains.send;
  }

  /** What `server.hub(…)` gives for a hub. */
  handle(hub: HubDescriptor): HubHandle<ClientContract> {
    let handle = this.handles.get(hub);
    if (handle === undefined) {
      handle = new DescribedHubHandle<ClientContract>(hub, this.sends, this.groupChanges);
      // A hub that a client made up is not worth remembering.
      if (hub.type !== undefined) this.handles.set(hub, handle);
    }
    return handle;
  }

  authorizeConnect(
    hubs: readonly HubDescriptor[],
    request: ConnectionRequest,
    user: User,
    record: ConnectionRecord | undefined,
  ): Promise<Admission> {
    return this.lifecycle.authorize(hubs, request, user, record);
  }

  /** A connection in OPENING; it still has to listen to its hubs. Throws a `Refusal`. */
  open(given: OpenRequest): ConnectionRecord {
    const { bus, registry } = this.ground;
    const { connectionId, user, request, traits } = given;
    const floor = placeOf(bus.readPosition(given.position), bus.head);
    const record = new ConnectionRecord(connectionId, user, request, traits, floor, this.records);
    register(registry, record);
    return record;
  }

  /** Runs `connect` for the hubs of a connection, once. Throws a `Refusal`. */
  connect(record: ConnectionRecord): Promise<void> {
    return this.lifecycle.connect(record);
  }

  /** See {@link Resumes.readmit}. */
  readmit(record: ConnectionRecord, given: Pick<ResumeRequest, 'hubs' | 'request' | 'user'>): Promise<void> {
    return this.resumes.readmit(record, given);
  }

  /** See {@link Resumes.resume}. */
  resume(given: ResumeRequest, claimed: (record: ConnectionRecord, generation: number) => void): Promise<Resumed> {
    return this.resumes.resume(given, claimed);
  }

  /** Takes a call; it runs when `connect` has, and when the calls before it allow. */
  receive(record: ConnectionRecord, call: InboundCall, reply: CallReply): void {
    // A client may call without having confirmed its connection first.
    if (record.state === 'opening' && record.connecting === undefined) void this.connect(record).catch(() => undefined);
    record.calls.push(() => this.invocations.run(record, call, reply));
  }

  /** Ends a connection, and tells its hubs once. */
  end(record: ConnectionRecord, reason: DisconnectReason, ending: TransportEnding, how: EndedAs): Promise<void> {
    return this.lifecycle.end(record, reason, ending, how);
  }

  abort(connection: Connection): void {
    const ending = { kind: 'ended', reason: 'kicked', allowReconnect: false } as const;
    void this.end(connection as ConnectionRecord, 'kicked', ending, 'final');
  }

  /** Takes a membership away for good. */
  revoke(hub: HubDescriptor, group: string, member: RevokedMember): void {
    this.groupChanges.revoke(hub, group, member);
  }

  /** Ends every connection, with leave to reconnect; no other is opened here. Settles when all hubs have been told. */
  async endAll(): Promise<void> {
    this.ground.registry.isClosed = true;
    const ending = { kind: 'ended', reason: 'server-stop', allowReconnect: true } as const;
    for (const record of this.ground.registry) void this.end(record, 'server-stop', ending, 'resumable');
    await this.lifecycle.settled();
  }

  private sealGroups(record: ConnectionRecord): string {
    const { bus, protector, revocations, limits, logger } = this.ground;
    const groups = new Map<string, string[]>();
    for (const { hub, group } of record.memberships) {
      const known = groups.get(hub);
      if (known === undefined) groups.set(hub, [group]);
      else known.push(group);
    }
    const { token, tooMany } = sealGroupsToken(
      protector,
      {
        connectionId: record.id,
        userId: record.user.id,
        issuedAt: revocations.stamp(),
        position: bus.writePosition(bus.head),
        groups: Object.fromEntries(groups),
      },
      limits.maxGroupsTokenBytes,
    );
    if (tooMany && !this.withTooManyGroups.has(record)) {
      this.withTooManyGroups.add(record);
      const error = hubError('HUB_GROUPS_TOKEN_TOO_LARGE', {
        connection: record.id,
        limitBytes: limits.maxGroupsTokenBytes,
      });
      logger.warn({ error, connection: record.id }, 'A connection is in more groups than its token can name.');
    }
    record.renewTokenAfter(limits.groupsTokenLifetimeMs / 2);
    return token;
  }
}
