import { hubError } from '../errors.js';
import type { HubProtocol } from '../wire/hub-protocol.js';
import type { ConnectionRecord } from './connection-record.js';
import type { Heartbeat, HeartbeatTimer } from './heartbeat.js';

/** Whether a client whose connection has ended may begin a new life under its id. */
export type EndedAs = 'final' | 'resumable';

/** The records that this process holds, and the ids that have ended not long ago. */
export class ConnectionRegistry {
  private readonly records = new Map<string, ConnectionRecord>();
  private readonly byUser = new Map<string, Set<ConnectionRecord>>();
  private readonly protocolCounts = new Map<HubProtocol, number>();
  private readonly ended = new Map<string, { readonly how: EndedAs; readonly forgetting: HeartbeatTimer }>();

  /** Whether no connection may be opened any more. */
  isClosed = false;

  constructor(
    private readonly heartbeat: Heartbeat,
    private readonly limits: { readonly maxConnections: number; readonly logAgeMs: number },
  ) {}

  get size(): number {
    return this.records.size;
  }

  get endedCount(): number {
    return this.ended.size;
  }

  [Symbol.iterator](): IterableIterator<ConnectionRecord> {
    return this.records.values();
  }

  find(id: string): ConnectionRecord | undefined {
    return this.records.get(id);
  }

  ofUser(id: string): Iterable<ConnectionRecord> {
    return this.byUser.get(id) ?? [];
  }

  /** The protocols that a message must be written in; connections that are away count. */
  protocolsInUse(): IterableIterator<HubProtocol> {
    return this.protocolCounts.keys();
  }

  /** Throws `HUB_TOO_MANY_CONNECTIONS`. */
  add(record: ConnectionRecord): void {
    if (this.records.size >= this.limits.maxConnections)
      throw hubError('HUB_TOO_MANY_CONNECTIONS', { limit: this.limits.maxConnections });
    this.records.set(record.id, record);
    this.forget(record.id);
    const { protocol } = record.traits;
    this.protocolCounts.set(protocol, (this.protocolCounts.get(protocol) ?? 0) + 1);
    if (record.user.id === '') return;
    const ofUser = this.byUser.get(record.user.id);
    if (ofUser === undefined) this.byUser.set(record.user.id, new Set([record]));
    else ofUser.add(record);
  }

  remove(record: ConnectionRecord): void {
    if (this.records.get(record.id) !== record) return;
    this.records.delete(record.id);
    const { protocol } = record.traits;
    const count = (this.protocolCounts.get(protocol) ?? 0) - 1;
    if (count > 0) this.protocolCounts.set(protocol, count);
    else this.protocolCounts.delete(protocol);
    const ofUser = this.byUser.get(record.user.id);
    if (ofUser?.delete(record) === true && ofUser.size === 0) this.byUser.delete(record.user.id);
  }

  /** Remembers how an id ended, for the age of the log. */
  remember(id: string, how: EndedAs): void {
    this.forget(id);
    this.ended.set(id, { how, forgetting: this.heartbeat.after(this.limits.logAgeMs, () => this.ended.delete(id)) });
  }

  howEnded(id: string): EndedAs | undefined {
    return this.ended.get(id)?.how;
  }

  private forget(id: string): void {
    this.ended.get(id)?.forgetting.cancel();
    this.ended.delete(id);
  }
}
