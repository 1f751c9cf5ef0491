/** A place in this process's order of messages. Later is larger; only the bus makes them. */
export type Position = number;

/** The place before every message of this log. */
export const beginning: Position = 0;

/**
 * What a position that came from outside says: a place of this log, one of another process's log, or nothing that can
 * be believed.
 */
export type PositionReading =
  | { readonly kind: 'here'; readonly position: Position }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'ahead' }
  | { readonly kind: 'unreadable' };

const pattern = /^([0-9a-z]{1,16})-([0-9a-z]{1,11})$/;

/** Writes and reads the positions of one process, which its epoch tells from those of others. */
export class PositionText {
  constructor(private readonly epoch: string) {}

  write(position: Position): string {
    return `${this.epoch}-${position.toString(36)}`;
  }

  read(text: string, head: Position): PositionReading {
    const [, epoch, place] = pattern.exec(text) ?? [];
    if (epoch === undefined || place === undefined) return { kind: 'unreadable' };
    if (epoch !== this.epoch) return { kind: 'foreign' };
    const position = Number.parseInt(place, 36);
    if (!Number.isSafeInteger(position) || place !== position.toString(36)) return { kind: 'unreadable' };
    return position > head ? { kind: 'ahead' } : { kind: 'here', position };
  }
}
