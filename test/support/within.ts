/** How long a test waits for something by default: long for a busy machine, short beside mocha's own time-out. */
export const defaultWaitMs = 8_000;

/** What `promise` settles with; rejects after `ms` with an error that says what was waited for. */
export async function within<T>(promise: PromiseLike<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not after ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
