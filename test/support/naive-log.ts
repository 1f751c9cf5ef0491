/** A message as the naive log keeps it: all that were ever published, and what has become of them. */
export interface NaiveEntry {
  readonly position: number;
  readonly sizeBytes: number;
  readonly except: readonly string[];
  readonly publishedAt: number;
  /** The topics that keep it. */
  readonly topics: Set<string>;
  evicted: boolean;
}

interface NaiveTopic {
  readonly subscribers: Set<string>;
  /** The newest place that was evicted. */
  evicted: number;
}

/** What a bus has to keep, written down in the most obvious way: lists that are gone through from the beginning. */
export class NaiveLog {
  head = 0;
  readonly topics = new Map<string, NaiveTopic>();
  private readonly entries: NaiveEntry[] = [];

  constructor(
    private readonly maxAgeMs: number,
    private readonly maxBytes: number,
  ) {}

  get kept(): readonly NaiveEntry[] {
    return this.entries.filter(({ evicted, topics }) => !evicted && topics.size > 0);
  }

  get bytes(): number {
    return this.kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  subscribe(topic: string, subscriber: string): number {
    let found = this.topics.get(topic);
    if (found === undefined) this.topics.set(topic, (found = { subscribers: new Set(), evicted: 0 }));
    found.subscribers.add(subscriber);
    return this.head;
  }

  unsubscribe(topic: string, subscriber: string): void {
    const found = this.topics.get(topic);
    if (found?.subscribers.delete(subscriber) !== true || found.subscribers.size > 0) return;
    this.topics.delete(topic);
    for (const entry of this.entries) entry.topics.delete(topic);
  }

  /** The entry, unless nobody wants it; it takes no place then. */
  publish(
    topics: readonly string[],
    sizeBytes: number,
    except: readonly string[],
    now: number,
  ): NaiveEntry | undefined {
    const wanted = new Set(topics.filter((topic) => this.topics.has(topic)));
    if (wanted.size === 0) return undefined;
    const position = ++this.head;
    const entry = { position, sizeBytes, except, publishedAt: now, topics: wanted, evicted: false };
    this.entries.push(entry);
    this.evict(now);
    return entry;
  }

  /** Whom an entry is handed to. */
  receivers({ topics, except }: NaiveEntry): Set<string> {
    const all = [...topics].flatMap((topic) => [...(this.topics.get(topic)?.subscribers ?? [])]);
    return new Set(all.filter((subscriber) => !except.includes(subscriber)));
  }

  evict(now: number): void {
    for (let bytes = this.bytes; ; bytes = this.bytes) {
      const oldest = this.kept[0];
      if (oldest === undefined || (bytes <= this.maxBytes && now - oldest.publishedAt <= this.maxAgeMs)) return;
      oldest.evicted = true;
      for (const topic of oldest.topics) (this.topics.get(topic) as NaiveTopic).evicted = oldest.position;
    }
  }

  read(subscriber: string, after: ReadonlyMap<string, number>): { positions: number[]; complete: boolean } {
    const wanted = [...after].filter(([topic]) => this.topics.has(topic));
    return {
      positions: this.kept
        .filter(({ except }) => !except.includes(subscriber))
        .filter(({ position, topics }) => wanted.some(([topic, place]) => topics.has(topic) && position > place))
        .map(({ position }) => position),
      complete: wanted.every(([topic, place]) => (this.topics.get(topic) as NaiveTopic).evicted <= place),
    };
  }
}
