import type { ConnectionState } from './connection.js';

/** Which state may follow which. A change is one synchronous step that checks the state it leaves. */
const next: Readonly<Record<ConnectionState, readonly ConnectionState[]>> = {
  opening: ['connected', 'ended'],
  connected: ['waiting', 'resuming', 'ended'],
  waiting: ['resuming', 'ended'],
  resuming: ['connected', 'waiting', 'ended'],
  ended: [],
};

/** Whether the step is one of the picture in `docs/groups-and-reconnecting.md`. */
export function mayFollow(from: ConnectionState, to: ConnectionState): boolean {
  return next[from].includes(to);
}
