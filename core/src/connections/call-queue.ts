/**
 * The calls of one connection: so many run beside each other, the rest waits in order. Nothing runs before `open()`.
 * When as many run and wait as are allowed, reading from the client is paused until there is room.
 */
export class CallQueue {
  private running = 0;
  private opened = false;
  private pumping = false;
  private paused = false;
  private waiting: (() => void)[] = [];

  constructor(
    private readonly parallel: number,
    private readonly limit: number,
    private readonly pause: (paused: boolean) => void,
  ) {}

  /** How many run and wait. */
  get size(): number {
    return this.running + this.waiting.length;
  }

  get isPaused(): boolean {
    return this.paused;
  }

  /** `run` is called when it is its turn; `done()` must follow once. */
  push(run: () => void): void {
    if (this.opened && this.waiting.length === 0 && this.running < this.parallel && !this.pumping) {
      this.running++;
      run();
      this.checkFull();
    } else {
      this.waiting.push(run);
      this.pump();
    }
  }

  done(): void {
    this.running--;
    this.pump();
  }

  /** Lets calls run from here on. */
  open(): void {
    this.opened = true;
    this.pump();
  }

  /** Drops what has not begun to run. */
  clear(): void {
    this.opened = false;
    this.waiting = [];
  }

  private pump(): void {
    if (this.pumping) return;
    this.pumping = true;
    while (this.opened && this.waiting.length > 0 && this.running < this.parallel) {
      this.running++;
      (this.waiting.shift() as () => void)();
    }
    this.pumping = false;
    this.checkFull();
  }

  private checkFull(): void {
    const full = this.size >= this.limit;
    if (full === this.paused) return;
    this.paused = full;
    this.pause(full);
  }
}
