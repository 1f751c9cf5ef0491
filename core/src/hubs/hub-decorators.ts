import type { FixedArity, GivenArity } from './hub-arity.js';
import { type AnyDecorator, misplaced, placeOf } from './hub-declarations.js';
import type { HubMethod } from './hub-type.js';
import type { Hub } from './hub.js';

/** The parts of a standard decorator's context that a hub method must have. The library's own insists on `any`. */
export interface MethodContext {
  readonly kind: 'method';
  readonly name: string;
  readonly static: false;
  readonly private: false;
  readonly access: { get(hub: Hub): unknown };
}

/** A decorator of a hub, as a standard and as a legacy one. */
export interface HubDecorator {
  <T extends abstract new (...args: never[]) => Hub>(type: T, context?: { readonly kind: 'class' }): void;
}

/** A decorator of a method that takes a fixed number of arguments, as a standard and as a legacy one. */
export interface HubMethodDecorator {
  <M extends HubMethod>(method: M, context: MethodContext & FixedArity<M>): void;
  <M extends HubMethod>(target: Hub, name: string, descriptor: TypedPropertyDescriptor<M> & FixedArity<M>): void;
}

/** A decorator of a method that takes from `Given[0]` to `Given[1]` arguments, as a standard and as a legacy one. */
export interface ArityMethodDecorator<Given extends readonly [number, number]> {
  <M extends HubMethod>(method: M, context: MethodContext & GivenArity<M, Given>): void;
  <M extends HubMethod>(target: Hub, name: string, descriptor: TypedPropertyDescriptor<M> & GivenArity<M, Given>): void;
}

/**
 * Makes a class a hub. A subclass needs a `@hub` of its own; the methods that its bases declare are its too.
 *
 * @param name - what clients call it, ignoring case: 1 to 100 letters, digits, `_` or `-`. It is required, since
 * minifiers change the names of classes.
 * @throws `HUB_DECORATOR_MISPLACED`, when the class is defined, if it stands elsewhere. A wrong name is found when the
 * server is made: `HUB_NAME_INVALID`, `HUB_NAME_TAKEN`.
 *
 * @example
 * ```ts
 * import { hub, Hub, hubMethod } from '@hubline/core';
 *
 * @hub('echo')
 * export class EchoHub extends Hub {
 *   @hubMethod() echo(text: string): string { return text; }
 * }
 * ```
 */
export function hub(name: string): HubDecorator {
  return (first: unknown, second?: unknown, third?: unknown): void => {
    const place = placeOf('hub', first, second, third);
    if (place.kind !== 'class') misplaced('hub');
    place.declared.name = name;
  };
}

/**
 * Lets clients call a method; nothing else of a hub is callable. The method takes exactly the arguments that it
 * declares. JavaScript does not tell which parameters are optional, so the compiler asks for `arity`, the least and
 * the greatest number, where some are. It cannot see two cases in which `arity` is needed as well: a default before a
 * required parameter, and a rest parameter of a fixed length.
 *
 * A name that is given is what clients call the method, instead of the property's; they ignore case. An override
 * without `@hubMethod` keeps the base's; with it, nothing is left of the base's name and arity.
 *
 * @throws `HUB_DECORATOR_MISPLACED`, when the class is defined, if it stands on anything but a method of an instance
 * with a name that is a text. The rest is found when the server is made: `HUB_METHOD_TAKEN`, `HUB_ARITY_INVALID`.
 *
 * @example
 * ```ts
 * import { hub, Hub, hubMethod } from '@hubline/core';
 *
 * @hub('dice')
 * export class DiceHub extends Hub {
 *   @hubMethod('Roll') rollOnce(sides: number): number { return 1 + Math.floor(Math.random() * sides); }
 *   @hubMethod({ arity: [1, 2] }) rollMany(sides: number, times = 2): number[] {
 *     return Array.from({ length: times }, () => this.rollOnce(sides));
 *   }
 * }
 * ```
 */
export function hubMethod(name?: string): HubMethodDecorator;
export function hubMethod<const Given extends readonly [min: number, max: number]>(options: {
  readonly name?: string;
  readonly arity: Given;
}): ArityMethodDecorator<Given>;
export function hubMethod(options: { readonly name?: string }): HubMethodDecorator;
export function hubMethod(
  given?: string | { readonly name?: string; readonly arity?: readonly [number, number] },
): AnyDecorator {
  const name = typeof given === 'object' ? given.name : given;
  const arity = typeof given === 'object' ? given.arity : undefined;
  return (first, second, third) => {
    const place = placeOf('hubMethod', first, second, third);
    if (place.kind !== 'method') misplaced('hubMethod');
    place.declared.declaration = { name, arity, length: place.method.length };
  };
}
