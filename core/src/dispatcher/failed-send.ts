/**
 * The promise of a send that failed. A failure that nobody has looked at by the end of the tick is reported once, and
 * none is ever an unhandled rejection.
 */
export class FailedSend extends Promise<void> {
  private observed = false;

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** A promise that rejects as `failure` does, or at once. */
  static of(failure: Promise<void> | { readonly error: unknown }, report: (error: unknown) => void): Promise<void> {
    const promise = new FailedSend((resolve, reject) => {
      if (failure instanceof Promise) failure.then(resolve, reject);
      else reject(failure.error);
    });
    void super.prototype.then.call(promise, undefined, (error: unknown) => {
      setImmediate(() => {
        if (!promise.observed) report(error);
      });
    });
    return promise;
  }

  // A promise tells nobody whether it was looked at; a subclass can.
  // oxlint-disable-next-line unicorn/no-thenable
  override then<Ok = void, Failed = never>(
    onOk?: ((value: void) => Ok | PromiseLike<Ok>) | null,
    onFailed?: ((reason: unknown) => Failed | PromiseLike<Failed>) | null,
  ): Promise<Ok | Failed> {
    this.observed = true;
    return super.then(onOk, onFailed);
  }
}
