/**
 * What a call gives: any value but `undefined`, a promise or a function. `undefined` is what a forgotten `return`
 * gives, so it never is a result; `context.answer(value)` makes an outcome of a value of unknown type.
 */
export type Outcome =
  | string
  | number
  | boolean
  | bigint
  | null
  | (object & { readonly then?: never; readonly [Symbol.hasInstance]?: never });
