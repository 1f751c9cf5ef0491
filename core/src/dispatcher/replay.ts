import type { ConnectionRecord } from '../connections/connection-record.js';
import type { Replay } from '../connections/delivery.js';
import type { MessageBus } from '../messaging/message-bus.js';
import { beginning, type Position, type PositionReading } from '../messaging/position.js';
import type { EncodedMessage } from '../wire/hub-protocol.js';

type Bus = MessageBus<EncodedMessage>;

/** What a resuming client is owed, and whether that is everything that it missed. */
export interface OwedMessages extends Replay {
  readonly complete: boolean;
}

/** Reads what a connection's topics hold after the client's cursor; one that cannot be believed is `now`. */
export async function readOwed(
  bus: Bus,
  record: ConnectionRecord,
  cursor: string | undefined,
  now: Position = bus.head,
): Promise<OwedMessages> {
  const reading: PositionReading = cursor === undefined ? { kind: 'unreadable' } : bus.readPosition(cursor);
  const from = Math.max(placeOf(reading, now), record.floor);
  const { subscriptions } = record;
  for (;;) {
    if (subscriptions.unsettled !== undefined) await subscriptions.unsettled;
    const { changes } = subscriptions;
    const found = await bus.read(record.id, subscriptions.topics(from));
    // Who joins or leaves meanwhile is asked for something else.
    if (subscriptions.changes !== changes || subscriptions.unsettled !== undefined) continue;
    return {
      entries: found.entries,
      upTo: Math.max(found.upTo, from),
      complete: found.complete && reading.kind === 'here',
    };
  }
}

/** A place of another process counts as the beginning of this log; what cannot be believed counts as now. */
export function placeOf(reading: PositionReading, now: Position): Position {
  switch (reading.kind) {
    case 'here':
      return reading.position;
    case 'foreign':
      return beginning;
    case 'ahead':
    case 'unreadable':
      return now;
  }
}
