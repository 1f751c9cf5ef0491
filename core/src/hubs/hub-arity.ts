import type { HubMethod } from './hub-type.js';

type RequiredCount<P extends readonly unknown[], Seen extends readonly unknown[] = []> = P extends readonly [
  unknown,
  ...infer Rest,
]
  ? RequiredCount<Rest, [...Seen, unknown]>
  : Seen['length'];

/** How many arguments parameters take, at least and at most; the latter is any number if there is a rest parameter. */
type Arity<P extends readonly unknown[]> = number extends P['length']
  ? [RequiredCount<P>, number]
  : [RequiredCount<P>, Required<P>['length']];

type IsAny<T> = 0 extends 1 & T ? true : false;
type IsStream<T> = IsAny<T> extends true ? false : [T] extends [AsyncIterable<unknown>] ? true : false;

/** Nothing at run time tells streams from other arguments, and their ids come in order: hence they come last. */
type StreamsLast<P extends readonly unknown[], Seen extends boolean = false> = P extends readonly []
  ? true
  : P extends readonly [infer First, ...infer Rest]
    ? StreamsLastAfter<First, Rest, Seen>
    : number extends P['length']
      ? Seen extends true
        ? IsStream<P[number]>
        : true
      : P extends readonly [(infer First)?, ...infer Rest]
        ? StreamsLastAfter<Exclude<First, undefined>, Rest, Seen>
        : true;
type StreamsLastAfter<First, Rest extends readonly unknown[], Seen extends boolean> =
  IsStream<First> extends true ? StreamsLast<Rest, true> : Seen extends true ? false : StreamsLast<Rest>;

/** Nothing has this property, so the sentence is what the compiler says. */
type Refuse<Why extends string> = { readonly [K in Why]: never };

type RefuseStreams = Refuse<'Streams come after all other parameters.'>;

/** Nothing is asked of a method that takes a fixed number of arguments; no other one fits. */
export type FixedArity<M extends HubMethod> =
  Arity<Parameters<M>> extends [infer Min extends number, infer Max extends number]
    ? StreamsLast<Parameters<M>> extends false
      ? RefuseStreams
      : [Max] extends [Min]
        ? unknown
        : Refuse<`This method has optional parameters. Say how many it takes: @hubMethod({ arity: [${Min}, ${Max}] })`>
    : never;

/** Nothing is asked of a method whose arity is the given one; no other one fits. */
export type GivenArity<M extends HubMethod, Given extends readonly [number, number]> =
  Arity<Parameters<M>> extends [infer Min extends number, infer Max extends number]
    ? StreamsLast<Parameters<M>> extends false
      ? RefuseStreams
      : Given extends readonly [Min, Max]
        ? unknown
        : Refuse<`This method takes another number of arguments: @hubMethod({ arity: [${Min}, ${Max}] })`>
    : never;
