import { isPromise, type Awaitable } from './awaitable.js';

/**
 * A promise of something that may fail while nobody waits for it. A failure that nobody has looked at by the end of
 * the tick is reported once, and none is ever an unhandled rejection.
 */
export class WatchedFailure<T> extends Promise<T> {
  private observed = false;

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** A promise that settles as `outcome` does, or rejects at once. */
  static of<T>(outcome: Promise<T> | { readonly error: unknown }, unseen: (error: unknown) => void): Promise<T> {
    const promise = new WatchedFailure<T>((resolve, reject) => {
      if (outcome instanceof Promise) outcome.then(resolve, reject);
      else reject(outcome.error);
    });
    void super.prototype.then.call(promise, undefined, (error: unknown) => {
      setImmediate(() => {
        if (!promise.observed) unseen(error);
      });
    });
    return promise;
  }

  // A promise tells nobody whether it was looked at; a subclass can.
  // oxlint-disable-next-line unicorn/no-thenable
  override then<Ok = T, Failed = never>(
    onOk?: ((value: T) => Ok | PromiseLike<Ok>) | null,
    onFailed?: ((reason: unknown) => Failed | PromiseLike<Failed>) | null,
  ): Promise<Ok | Failed> {
    this.observed = true;
    return super.then(onOk, onFailed);
  }
}

/** Gives what `work` gives; a failure that nobody looks at goes to `unseen`. */
export function watched<T>(work: () => Awaitable<T>, unseen: (error: unknown) => void): Promise<T> {
  try {
    const result = work();
    return isPromise<T>(result) ? WatchedFailure.of(result, unseen) : Promise.resolve(result);
  } catch (error) {
    return WatchedFailure.of<T>({ error }, unseen);
  }
}
