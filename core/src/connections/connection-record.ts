import { inspect } from 'node:util';
import type { Clock } from '../clock.js';
import type { Memberships } from '../groups/memberships.js';
import type { MessageBus } from '../messaging/message-bus.js';
import type { Position } from '../messaging/position.js';
import type { User } from '../security/user.js';
import type { EncodedMessage } from '../wire/hub-protocol.js';
import type { Transport, TransportEnding } from '../wire/transport.js';
import { CallQueue } from './call-queue.js';
import { mayFollow } from './connection-state.js';
import type { Connection, ConnectionRequest, ConnectionState, DisconnectReason } from './connection.js';
import { Delivery, type DeliverySource, type Replay } from './delivery.js';
import type { Heartbeat, HeartbeatTimer } from './heartbeat.js';
import type { ConnectionTraits, ResumeOutcome, TransportRequest } from './connection-traits.js';
import { Subscriptions, type HubLink } from './subscriptions.js';

/** What a record uses and tells. */
export interface RecordGround {
  readonly bus: MessageBus<EncodedMessage>;
  readonly heartbeat: Heartbeat;
  readonly clock: Clock;
  readonly maxGroups: number;
  readonly maxCalls: number;
  /** Seals the record's groups. */
  groupsToken(record: ConnectionRecord): string;
  /** Nobody came back in time, or a lost transport is the end. */
  lost(record: ConnectionRecord): void;
}

/** What the server keeps of one connection. */
export class ConnectionRecord implements Connection, DeliverySource {
  state: ConnectionState = 'opening';
  readonly items = new Map<unknown, unknown>();
  readonly subscriptions: Subscriptions;
  readonly delivery: Delivery;
  readonly calls: CallQueue;
  /** Groups that were revoked while the connection was away, as topics. */
  readonly revokedAway = new Set<string>();
  /** The groups token that the client was last given. */
  lastGroupsToken: string | undefined;
  /** Settles when `connect` has, whatever became of it; `undefined` before. */
  connecting: Promise<void> | undefined;
  /** The stages of a resume, shared by all requests that come meanwhile. */
  resuming: { readonly hubs: string; readonly outcome: Promise<ResumeOutcome> } | undefined;
  /** How it ended. */
  endReason: DisconnectReason | undefined;
  private generation = 0;
  private lastArrival = 0;
  private claimed = false;
  /** Between two batches it has no transport, and has not lost one either. */
  private betweenBatches = false;
  private flushing = false;
  private awayTimer: HeartbeatTimer | undefined;
  private tokenTimer: HeartbeatTimer | undefined;
  private leftMs: number;
  private lostAt: number | undefined;
  private aborter: AbortController | undefined;

  constructor(
    readonly id: string,
    public user: User,
    public request: ConnectionRequest,
    readonly traits: ConnectionTraits,
    /** Nothing before this place is ever replayed. */
    readonly floor: Position,
    private readonly ground: RecordGround,
  ) {
    this.leftMs = traits.disconnectTimeoutMs ?? 0;
    this.subscriptions = new Subscriptions(id, user.id, ground.bus, ground.maxGroups, () => this.delivery);
    this.delivery = new Delivery(id, ground.bus, this.subscriptions, this);
    this.calls = new CallQueue(traits.parallelCalls, ground.maxCalls, (paused) =>
      this.delivery.transport?.pause(paused),
    );
  }

  get protocol(): string {
    return this.traits.protocol.name;
  }

  get transport(): string | undefined {
    return this.delivery.transport?.name;
  }

  get signal(): AbortSignal {
    this.aborter ??= new AbortController();
    if (this.state === 'ended' && !this.aborter.signal.aborted) this.aborter.abort();
    return this.aborter.signal;
  }

  get hubs(): ReadonlyMap<string, HubLink> {
    return this.subscriptions.hubs;
  }

  get memberships(): Memberships {
    return this.subscriptions.memberships;
  }

  get head(): Position {
    return this.ground.bus.head;
  }

  /** What may be written down: its request and its tokens are the client's secrets. */
  toJSON(): object {
    const { id, protocol, transport, state } = this;
    return { id, protocol, transport, state, user: this.user.id };
  }

  [inspect.custom](): string {
    return `Connection ${inspect(this.toJSON())}`;
  }

  /** How long it has had no transport. */
  get downForMs(): number {
    return this.lostAt === undefined ? 0 : this.ground.clock.now() - this.lostAt;
  }

  /** One synchronous step; `false` if the state is not one that `to` may follow. */
  moveTo(to: ConnectionState): boolean {
    if (!mayFollow(this.state, to)) return false;
    this.state = to;
    return true;
  }

  // Transports. A request that opens one claims the connection first; no later event of the older one counts.

  /** Whether a request that came later has taken the connection: the older one must not take it back. */
  isOvertaken({ arrival }: TransportRequest): boolean {
    return arrival < this.lastArrival;
  }

  /** Ends the older transport, stops the timer, and gives the generation of the new one. */
  claim({ request, user, arrival }: TransportRequest): number {
    const older = this.delivery.transport;
    this.delivery.detach();
    this.stopWaiting();
    if (this.claimed && this.lostAt === undefined) this.markLost();
    this.request = request;
    // The same id, and perhaps other roles than the last time.
    this.user = user;
    this.lastArrival = arrival;
    this.claimed = true;
    this.betweenBatches = false;
    this.generation++;
    older?.end({ kind: 'replaced' });
    return this.generation;
  }

  /** Whether the transport of this generation is still the one that counts. */
  isCurrent(generation: number): boolean {
    return this.generation === generation && this.state !== 'ended';
  }

  /** Whether a transport is there, or is being opened. */
  get hasTransport(): boolean {
    return this.claimed;
  }

  attach(transport: Transport, start: Position | Replay): void {
    this.leftMs = this.traits.disconnectTimeoutMs ?? 0;
    this.lostAt = undefined;
    this.delivery.tokenDue = this.traits.groupsToken && this.memberships.changed;
    this.delivery.attach(transport, start);
    if (this.calls.isPaused) transport.pause(true);
  }

  /** The transport of a generation is gone. `false` if that was known, or does not count any more. */
  lose(generation: number): boolean {
    if (!this.isCurrent(generation) || !this.claimed) return false;
    // A client whose poll was cut polls again.
    if (this.delivery.transport?.live === false) this.waitForNextBatch();
    else this.loseTransport();
    return true;
  }

  private loseTransport(): void {
    this.claimed = false;
    this.delivery.detach();
    if (this.traits.disconnectTimeoutMs === undefined) {
      this.ground.lost(this);
      return;
    }
    // One that never carried anything does not give time back.
    if (this.lostAt === undefined) this.markLost();
    if (this.state === 'connected') this.moveTo('waiting');
    // While the stages of a resume run, the timer stands; they look for a transport at their end.
    if (this.state !== 'resuming') this.wait();
  }

  transportOver(transport: Transport, how: 'lost' | 'taken'): void {
    if (how === 'taken') this.waitForNextBatch();
    else {
      this.loseTransport();
      transport.end({ kind: 'lost' });
    }
  }

  /** `connect` has completed: connected with a transport; if it is lost the timer that runs goes on. */
  confirm(): boolean {
    if (!this.moveTo('connected')) return false;
    if (!this.claimed && !this.betweenBatches) this.moveTo('waiting');
    return true;
  }

  /** The stages of a resume begin, and the timer stops. `false` if they may not. */
  beginResume(): boolean {
    if (this.state === 'connected') this.moveTo('waiting');
    if (!this.moveTo('resuming')) return false;
    this.stopWaiting();
    return true;
  }

  /** The stages of a resume are over: connected with a transport, waiting without. */
  endResume(success: boolean): void {
    if (success && this.claimed) {
      this.moveTo('connected');
      this.lostAt = undefined;
      return;
    }
    this.claimed = false;
    if (this.moveTo('waiting')) this.wait();
  }

  /** Reached once, from any state. `false` if it had ended. */
  end(reason: DisconnectReason, ending: TransportEnding): boolean {
    if (!this.moveTo('ended')) return false;
    this.endReason = reason;
    this.stopWaiting();
    this.tokenTimer?.cancel();
    this.calls.clear();
    const { transport } = this.delivery;
    this.delivery.detach();
    this.claimed = false;
    this.subscriptions.clear();
    this.aborter?.abort();
    transport?.end(ending);
    return true;
  }

  /** Between two batches, and when one was cut, the connection is connected; the timer runs from the last one. */
  private waitForNextBatch(): void {
    this.claimed = false;
    this.delivery.detach();
    this.betweenBatches = true;
    this.markLost();
    this.wait();
  }

  private markLost(): void {
    this.lostAt = this.ground.clock.now();
    this.leftMs = this.traits.disconnectTimeoutMs ?? 0;
  }

  private wait(): void {
    this.stopWaiting();
    this.awayTimer = this.ground.heartbeat.after(this.leftMs, () => this.ground.lost(this));
  }

  private stopWaiting(): void {
    if (this.awayTimer === undefined) return;
    this.leftMs = this.awayTimer.leftMs;
    this.awayTimer.cancel();
    this.awayTimer = undefined;
  }

  // Groups tokens.

  /** The memberships have changed: the client is told with its next frame, or at the end of the tick. */
  groupsChanged(): void {
    if (!this.traits.groupsToken || !this.memberships.changed || this.state === 'ended') return;
    this.delivery.tokenDue = this.delivery.transport !== undefined;
    if (this.flushing) return;
    this.flushing = true;
    setImmediate(() => {
      this.flushing = false;
      this.delivery.flushToken();
    });
  }

  /** A client that holds another token than it was last given is told its groups again. */
  presents(groupsToken: string | undefined): void {
    if (groupsToken !== this.lastGroupsToken) this.memberships.changed = true;
  }

  takeGroupsToken(): string {
    this.memberships.changed = false;
    this.lastGroupsToken = this.ground.groupsToken(this);
    return this.lastGroupsToken;
  }

  /** Issues the token again at half its life. */
  renewTokenAfter(ms: number): void {
    this.tokenTimer?.cancel();
    this.tokenTimer = this.ground.heartbeat.after(ms, () => {
      this.memberships.changed = true;
      this.groupsChanged();
    });
  }
}
