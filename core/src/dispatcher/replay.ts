import { andThen, type Awaitable } from '../awaitable.js';
import type { ConnectionRecord } from '../connections/connection-record.js';
import type { Replay } from '../connections/delivery.js';
import type { LogReading, MessageBus } from '../messaging/message-bus.js';
import { beginning, type Position, type PositionReading } from '../messaging/position.js';
import type { EncodedMessage } from '../wire/hub-protocol.js';

type Bus = MessageBus<EncodedMessage>;

/** What a resuming client is owed, and whether that is everything that it missed. */
export interface OwedMessages extends Replay {
  readonly complete: boolean;
}

/** Reads what a connection's topics hold after the client's cursor. */
export function readOwed(bus: Bus, record: ConnectionRecord, cursor: string | undefined): Awaitable<OwedMessages> {
  const reading: PositionReading = cursor === undefined ? { kind: 'unreadable' } : bus.readPosition(cursor);
  const from = Math.max(placeOf(bus, reading), record.floor);
  return andThen<LogReading<EncodedMessage>, OwedMessages>(bus.read(record.id, record.topics(from)), (found) => ({
    entries: found.entries,
    upTo: Math.max(found.upTo, from),
    complete: found.complete && reading.kind === 'here',
  }));
}

/** A place of another process counts as the beginning of this log; what cannot be believed counts as now. */
export function placeOf(bus: Bus, reading: PositionReading): Position {
  switch (reading.kind) {
    case 'here':
      return reading.position;
    case 'foreign':
      return beginning;
    case 'ahead':
    case 'unreadable':
      return bus.head;
  }
}
