import { AssertionError } from 'node:assert';

/**
 * The error that a promise rejects with; it fails itself if the promise does not.
 *
 * @example
 * ```ts
 * import { failure } from '@hubline/core/testing';
 *
 * export const message = async (call: Promise<unknown>): Promise<string> => (await failure(call)).message;
 * ```
 */
export async function failure(promise: PromiseLike<unknown>): Promise<Error> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error as Error;
  }
  throw new AssertionError({ message: 'The promise was expected to reject, and did not.', actual: value });
}

/** Gives what `promise` gives, or rejects after so much real time with what `describe` says. */
export function within<T>(promise: Promise<T>, ms: number, describe: () => string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new AssertionError({ message: describe() })), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
