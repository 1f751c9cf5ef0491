import fc from 'fast-check';

const isFull = process.env.HUBLINE_EFFORT === 'full';

/** How often a property is tried: `runs` times, ten times as often where `HUBLINE_EFFORT` is `full`. */
export const effort = (runs = 200): { readonly numRuns: number } => ({ numRuns: isFull ? runs * 10 : runs });

/** Time for one test that tries a property, in milliseconds. */
export const propertyTimeoutMs = isFull ? 600_000 : 30_000;

/** Some of `values`, in any order, each at most once. */
export const someOf = <T>(...values: readonly T[]): fc.Arbitrary<T[]> => fc.shuffledSubarray([...values]);

/** A sequence of steps, up to its longest; left alone, fast-check prefers ten. */
export const sequenceOf = <T>(step: fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<T[]> =>
  fc.array(step, { maxLength, size: 'max' });
