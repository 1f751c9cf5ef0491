/** A value that is there already, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** Whether `value` is a promise, or anything else with a `then`. */
export function isPromise<T>(value: unknown): value is Promise<T> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Calls `next` with what `value` is or becomes; makes no promise where `value` is none. */
export function andThen<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return isPromise<T>(value) ? value.then(next) : next(value);
}

/** Waits for all; makes no promise where there is nothing to wait for. */
export function allOf(work: readonly Awaitable<void>[]): Awaitable<void> {
  const waiting = work.filter((one) => isPromise<void>(one));
  return waiting.length === 0 ? undefined : Promise.all(waiting).then(() => undefined);
}

/** What a call without result gives when nothing is left to wait for: one promise, shared by all. */
export const settled: Promise<void> = Promise.resolve();

/** Runs `work`, and turns what it throws at once into a rejected promise. */
export function attempt<T>(work: () => Awaitable<T>): Promise<T> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(error as Error);
  }
}
