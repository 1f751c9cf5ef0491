import { inspect } from 'node:util';
import { defaultWaitMs, within } from './within.js';

/** Writes down what happens, and lets a test wait for it. */
export class Recorder<T> {
  readonly items: T[] = [];
  private readonly watchers = new Set<() => void>();

  constructor(private readonly name: string) {}

  get count(): number {
    return this.items.length;
  }

  add(item: T): void {
    this.items.push(item);
    for (const watcher of this.watchers) watcher();
  }

  /** Those of a kind, so far. */
  filter<S extends T>(wanted: (item: T) => item is S): S[];
  filter(wanted: (item: T) => boolean): T[];
  filter(wanted: (item: T) => boolean): T[] {
    return this.items.filter(wanted);
  }

  /** The `nth` of a kind (from 1), as soon as it is there. */
  async find(wanted: (item: T) => boolean, what: string, { nth = 1, ms = defaultWaitMs } = {}): Promise<T> {
    await this.until((items) => items.filter(wanted).length >= nth, what, ms);
    return this.items.filter(wanted)[nth - 1] as T;
  }

  /** As soon as there are `count`, all of them. */
  async atLeast(count: number, ms = defaultWaitMs): Promise<readonly T[]> {
    await this.until((items) => items.length >= count, `${count} of ${this.name}`, ms);
    return this.items;
  }

  /** Waits until what has been written down is as it should be. */
  async until(condition: (items: readonly T[]) => boolean, what: string, ms = defaultWaitMs): Promise<void> {
    if (condition(this.items)) return;
    let watcher: () => void = () => undefined;
    const met = new Promise<void>((resolve) => {
      watcher = () => {
        if (condition(this.items)) resolve();
      };
    });
    this.watchers.add(watcher);
    try {
      await within(met, ms, what);
    } catch (error) {
      const seen = inspect(this.items.slice(-20), { depth: 4, breakLength: 120 });
      throw new Error(`${(error as Error).message}; the last of ${this.name}: ${seen}`, { cause: error });
    } finally {
      this.watchers.delete(watcher);
    }
  }
}
