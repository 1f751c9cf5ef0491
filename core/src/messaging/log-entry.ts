import type { Position, PositionText } from './position.js';

/** What can be published. */
export interface MessageBody {
  readonly sizeBytes: number;
}

/** What keeps entries: a topic. */
export interface EntryKeeper<Body> {
  readonly name: string;
  push(entry: LogEntry<Body>): void;
  /** Forgets its oldest entry. */
  shift(): void;
}

/** One message at its place in the order. */
export class LogEntry<Body> {
  /** Neighbours in the log, from old to new. */
  older: LogEntry<Body> | undefined;
  newer: LogEntry<Body> | undefined;
  private text: string | undefined;

  constructor(
    readonly position: Position,
    readonly body: Body,
    readonly sizeBytes: number,
    /** The topics that keep it; one that nobody has any more is taken out. */
    readonly topics: Set<EntryKeeper<Body>>,
    readonly except: ReadonlySet<string> | undefined,
    readonly publishedAt: number,
    private readonly positions: PositionText,
  ) {}

  /** The position as clients are told it. */
  get cursor(): string {
    return (this.text ??= this.positions.write(this.position));
  }
}
