import type { LogEntry } from './log-entry.js';
import { Topic } from './topic.js';

/**
 * The messages that connections may still be owed, in one order, and the topics that keep them. A topic is there while
 * somebody has it; an entry is there while a topic keeps it and the log's age and size allow.
 */
export class MessageLog<Body> {
  private readonly topics = new Map<string, Topic<Body>>();
  private oldest: LogEntry<Body> | undefined;
  private newest: LogEntry<Body> | undefined;
  private bytes = 0;

  constructor(
    private readonly maxAgeMs: number,
    private readonly maxBytes: number,
  ) {}

  get topicCount(): number {
    return this.topics.size;
  }

  get sizeBytes(): number {
    return this.bytes;
  }

  find(name: string): Topic<Body> | undefined {
    return this.topics.get(name);
  }

  open(name: string): Topic<Body> {
    let topic = this.topics.get(name);
    if (topic === undefined) this.topics.set(name, (topic = new Topic<Body>(name)));
    return topic;
  }

  /** Forgets a topic, and the entries that it alone kept. */
  close(topic: Topic<Body>): void {
    this.topics.delete(topic.name);
    for (const entry of topic.after(0)) {
      entry.topics.delete(topic);
      if (entry.topics.size === 0) this.unlink(entry);
    }
  }

  append(entry: LogEntry<Body>): void {
    for (const topic of entry.topics) topic.push(entry);
    entry.older = this.newest;
    if (this.newest === undefined) this.oldest = entry;
    else this.newest.newer = entry;
    this.newest = entry;
    this.bytes += entry.sizeBytes;
    this.evict(entry.publishedAt);
  }

  /** Drops what is too old, and the oldest until the rest fits. */
  evict(now: number): void {
    let entry = this.oldest;
    while (entry !== undefined && (this.bytes > this.maxBytes || now - entry.publishedAt > this.maxAgeMs)) {
      for (const topic of entry.topics) topic.shift();
      this.unlink(entry);
      entry = this.oldest;
    }
  }

  private unlink(entry: LogEntry<Body>): void {
    if (entry.older === undefined) this.oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.newest = entry.older;
    else entry.newer.older = entry.older;
    entry.older = undefined;
    entry.newer = undefined;
    this.bytes -= entry.sizeBytes;
  }
}
