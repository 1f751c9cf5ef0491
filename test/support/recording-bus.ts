import type { Awaitable } from '@hubline/core';
import { isPromise } from '@hubline/core/internal/awaitable.js';
import type { Clock } from '@hubline/core/internal/clock.js';
import type { MessageBody } from '@hubline/core/internal/messaging/log-entry.js';
import { LocalMessageBus, type LogReading, type MessageBus } from '@hubline/core/internal/messaging/message-bus.js';
import type { Position, PositionReading } from '@hubline/core/internal/messaging/position.js';
import type { Subscriber } from '@hubline/core/internal/messaging/topic.js';
import { NaiveLog } from './naive-log.js';

interface Limits {
  readonly logAgeMs: number;
  readonly logBytes: number;
}

/** The bus of one process, with a naive log that is told the same. */
export class RecordingBus<Body extends MessageBody> extends LocalMessageBus<Body> {
  readonly naive: NaiveLog;

  constructor(
    private readonly time: Clock,
    limits: Limits,
    readonly epoch: string,
    /** Told what is about to be published, and the place that it will have if anybody wants it. */
    private readonly publishing: (topics: readonly string[], body: Body, position: Position) => void,
    /** Told who has a topic from now on. */
    private readonly subscribed: (topic: string, subscriber: Subscriber<Body>) => void,
  ) {
    super(time, limits, epoch);
    this.naive = new NaiveLog(limits.logAgeMs, limits.logBytes);
  }

  override publish(topics: readonly string[], body: Body, except: ReadonlySet<string> | undefined): Awaitable<void> {
    this.publishing(topics, body, this.head + 1);
    this.naive.publish(topics, body.sizeBytes, [...(except ?? [])], this.time.now());
    return super.publish(topics, body, except);
  }

  override subscribe(topic: string, subscriber: Subscriber<Body>): Awaitable<Position> {
    this.naive.subscribe(topic, subscriber.id);
    this.subscribed(topic, subscriber);
    return super.subscribe(topic, subscriber);
  }

  override unsubscribe(topic: string, subscriber: Subscriber<Body>): Awaitable<void> {
    this.naive.unsubscribe(topic, subscriber.id);
    return super.unsubscribe(topic, subscriber);
  }

  override sweep(): void {
    this.naive.evict(this.time.now());
    super.sweep();
  }
}

/**
 * A bus that answers with promises, as one would that asks another process: in order, but when the test says so. That
 * something has been done there and that it is known here are two things.
 */
export class SlowBus<Body extends MessageBody> implements MessageBus<Body> {
  private readonly todo: (() => void)[] = [];
  private readonly answers: (() => void)[] = [];

  constructor(private readonly inner: MessageBus<Body>) {}

  get head(): Position {
    return this.inner.head;
  }

  get isIdle(): boolean {
    return this.todo.length === 0 && this.answers.length === 0;
  }

  /** Does the next `count` things that it was asked for. */
  work(count: number): void {
    for (const one of this.todo.splice(0, count)) one();
  }

  /** Gives the next `count` answers. */
  answer(count: number): void {
    for (const one of this.answers.splice(0, count)) one();
  }

  publish(topics: readonly string[], body: Body, except: ReadonlySet<string> | undefined): Promise<void> {
    return this.later(() => this.inner.publish(topics, body, except));
  }

  subscribe(topic: string, subscriber: Subscriber<Body>): Promise<Position> {
    return this.later(() => this.inner.subscribe(topic, subscriber));
  }

  unsubscribe(topic: string, subscriber: Subscriber<Body>): Promise<void> {
    return this.later(() => this.inner.unsubscribe(topic, subscriber));
  }

  read(subscriber: string, topics: ReadonlyMap<string, Position>): Promise<LogReading<Body>> {
    return this.later(() => this.inner.read(subscriber, topics));
  }

  writePosition(position: Position): string {
    return this.inner.writePosition(position);
  }

  readPosition(text: string): PositionReading {
    return this.inner.readPosition(text);
  }

  private later<T>(work: () => Awaitable<T>): Promise<T> {
    return new Promise((resolve) => {
      this.todo.push(() => {
        const value = work();
        this.answers.push(() => resolve(value));
        if (isPromise(value)) void value.catch(() => undefined);
      });
    });
  }
}
