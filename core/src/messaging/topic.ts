import type { EntryKeeper, LogEntry } from './log-entry.js';
import { beginning, type Position } from './position.js';

/** Whoever is given the messages of a topic. */
export interface Subscriber<Body> {
  /** Named in a message's `except`, it is passed over. */
  readonly id: string;
  /** Must not throw. An entry of several topics may be given more than once; positions never go back. */
  deliver(entry: LogEntry<Body>): void;
}

/** One topic that somebody has: its subscribers, and its entries that the log still keeps, oldest first. */
export class Topic<Body> implements EntryKeeper<Body> {
  readonly subscribers = new Set<Subscriber<Body>>();
  /** The newest position of this topic that the log has evicted. */
  evicted: Position = beginning;
  /** From `first` on; what was before is forgotten, and its places are taken out many at a time. */
  private entries: (LogEntry<Body> | undefined)[] = [];
  private first = 0;

  constructor(readonly name: string) {}

  push(entry: LogEntry<Body>): void {
    this.entries.push(entry);
  }

  /** Forgets its oldest entry. */
  shift(): void {
    const entry = this.entries[this.first];
    if (entry === undefined) return;
    this.evicted = entry.position;
    this.entries[this.first++] = undefined;
    if (this.first > 64 && this.first * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.first);
      this.first = 0;
    }
  }

  /** Its entries after `position`, oldest first. */
  after(position: Position): readonly LogEntry<Body>[] {
    let low = this.first;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.entries[middle] as LogEntry<Body>).position > position) high = middle;
      else low = middle + 1;
    }
    return this.entries.slice(low) as LogEntry<Body>[];
  }
}
