/**
 * Where time comes from. The server asks it for everything that waits, so that a test can move time by hand; modules
 * and hubs ask `context.clock` for the same reason.
 *
 * @see `VirtualClock` in `@hubline/core/testing`.
 */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Calls `callback` once, `delayMs` milliseconds from now. What it returns cancels that, and may be called late. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The machine's clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
