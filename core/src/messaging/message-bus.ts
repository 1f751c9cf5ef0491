import type { Awaitable } from '../awaitable.js';
import type { Clock } from '../clock.js';
import { LogEntry, type MessageBody } from './log-entry.js';
import { MessageLog } from './message-log.js';
import { PositionText, type Position, type PositionReading } from './position.js';
import type { Subscriber, Topic } from './topic.js';

/** What a subscriber's topics hold. */
export interface LogReading<Body> {
  /** In order, each once. */
  readonly entries: readonly LogEntry<Body>[];
  /** Whether none of the topics has evicted anything that was asked for. */
  readonly complete: boolean;
  /** The place up to which was read. */
  readonly upTo: Position;
}

/** Carries messages to whoever has their topics, and keeps them for a while. */
export interface MessageBus<Body extends MessageBody> {
  /** The place of the newest message. */
  readonly head: Position;
  /** Gives the message a place, keeps it, and hands it to all who have one of the topics, each in turn. */
  publish(topics: readonly string[], body: Body, except: ReadonlySet<string> | undefined): Awaitable<void>;
  /** Answers the place after which the subscriber is given the topic's messages. */
  subscribe(topic: string, subscriber: Subscriber<Body>): Awaitable<Position>;
  unsubscribe(topic: string, subscriber: Subscriber<Body>): Awaitable<void>;
  /** What the topics hold for `subscriber`, each after a place of its own. */
  read(subscriber: string, topics: ReadonlyMap<string, Position>): Awaitable<LogReading<Body>>;
  writePosition(position: Position): string;
  readPosition(text: string): PositionReading;
}

/** The bus of one process. */
export class LocalMessageBus<Body extends MessageBody> implements MessageBus<Body> {
  private readonly log: MessageLog<Body>;
  private readonly positions: PositionText;
  private last: Position = 0;
  private handingOut = false;
  private waiting: (() => void)[] = [];

  constructor(
    private readonly clock: Clock,
    limits: { readonly logAgeMs: number; readonly logBytes: number },
    epoch: string,
  ) {
    this.log = new MessageLog(limits.logAgeMs, limits.logBytes);
    this.positions = new PositionText(epoch);
  }

  get head(): Position {
    return this.last;
  }

  get topicCount(): number {
    return this.log.topicCount;
  }

  get logBytes(): number {
    return this.log.sizeBytes;
  }

  publish(topics: readonly string[], body: Body, except: ReadonlySet<string> | undefined): Awaitable<void> {
    return this.inTurn(() => this.handOut(topics, body, except));
  }

  subscribe(topic: string, subscriber: Subscriber<Body>): Awaitable<Position> {
    return this.inTurn(() => {
      this.log.open(topic).subscribers.add(subscriber);
      return this.last;
    });
  }

  unsubscribe(name: string, subscriber: Subscriber<Body>): Awaitable<void> {
    return this.inTurn(() => {
      const topic = this.log.find(name);
      if (topic?.subscribers.delete(subscriber) === true && topic.subscribers.size === 0) this.log.close(topic);
    });
  }

  read(subscriber: string, topics: ReadonlyMap<string, Position>): Awaitable<LogReading<Body>> {
    let complete = true;
    const found: LogEntry<Body>[] = [];
    for (const [name, after] of topics) {
      const topic = this.log.find(name);
      if (topic === undefined) continue;
      if (topic.evicted > after) complete = false;
      for (const entry of topic.after(after)) if (entry.except?.has(subscriber) !== true) found.push(entry);
    }
    found.sort((one, other) => one.position - other.position);
    const entries = found.filter((entry, index) => entry !== found[index - 1]);
    return { entries, complete, upTo: this.last };
  }

  /** Forgets what has become too old. */
  sweep(): void {
    this.log.evict(this.clock.now());
  }

  writePosition(position: Position): string {
    return this.positions.write(position);
  }

  readPosition(text: string): PositionReading {
    return this.positions.read(text, this.last);
  }

  /** What is published or changed while an entry is being handed out waits until it has been handed to all. */
  private inTurn<T>(work: () => T): Awaitable<T> {
    if (this.handingOut) return new Promise((resolve) => this.waiting.push(() => resolve(work())));
    this.handingOut = true;
    try {
      return work();
    } finally {
      this.workOff();
    }
  }

  /** What waits is worked off in its order; it may make more wait. */
  private workOff(): void {
    try {
      while (this.waiting.length > 0) {
        const { waiting } = this;
        this.waiting = [];
        for (const work of waiting) work();
      }
    } finally {
      this.handingOut = false;
    }
  }

  private handOut(names: readonly string[], body: Body, except: ReadonlySet<string> | undefined): void {
    const topics = new Set<Topic<Body>>();
    for (const name of names) {
      const topic = this.log.find(name);
      if (topic !== undefined) topics.add(topic);
    }
    if (topics.size === 0) return;
    const entry = new LogEntry(++this.last, body, body.sizeBytes, topics, except, this.clock.now(), this.positions);
    this.log.append(entry);
    for (const topic of topics)
      for (const subscriber of topic.subscribers)
        if (except === undefined || !except.has(subscriber.id)) subscriber.deliver(entry);
  }
}
