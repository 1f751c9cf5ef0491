/**
 * What a call gives: any value but `undefined`, a promise or a function. `undefined` is what a forgotten `return`
 * gives, so it never is a result; `context.answer(value)` makes an outcome of a value of unknown type.
 *
 * @example
 * ```ts
 * import type { HubPipelineModule } from '@hubline/core';
 *
 * export const cached = (cache: Map<string, unknown>): HubPipelineModule => ({
 *   name: 'cached',
 *   async invoke(context, next) {
 *     if (cache.has(context.methodName)) return context.answer(cache.get(context.methodName));
 *     const result = await next();
 *     cache.set(context.methodName, result);
 *     return result;
 *   },
 * });
 * ```
 */
export type Outcome =
  | string
  | number
  | boolean
  | bigint
  | null
  | (object & { readonly then?: never; readonly [Symbol.hasInstance]?: never });
