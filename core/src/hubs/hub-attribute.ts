import { type AnyDecorator, placeOf } from './hub-declarations.js';
import type { HubDecorator, MethodContext } from './hub-decorators.js';
import type { Attributes, HubDescriptor, HubMethodDescriptor } from './hub-descriptor.js';
import type { HubMethod } from './hub-type.js';
import type { Hub } from './hub.js';

/** A decorator of hubs and of their methods, as a standard and as a legacy one. */
export interface HubAttributeDecorator extends HubDecorator {
  (method: HubMethod, context: MethodContext): void;
  <M extends HubMethod>(target: Hub, name: string, descriptor: TypedPropertyDescriptor<M>): void;
}

/** Makes decorators that note a value on a hub or a hub method, and reads what they noted. */
export interface HubAttribute<T> {
  (value: T): HubAttributeDecorator;
  /** The nearest value: the method's before the class's, the subclass's before the base's. */
  of(target: HubDescriptor | HubMethodDescriptor): T | undefined;
  /** All values, outermost first: base class, class, base method, method; each as written from top to bottom. */
  allOf(target: HubDescriptor | HubMethodDescriptor): readonly T[];
}

const none: readonly never[] = Object.freeze([]);

/**
 * Makes an attribute. Attributes of one name are one attribute, also from two copies of a package: begin the name with
 * that of your package. What stands on an overridden method holds for the override too.
 */
export function hubAttribute<T>(name: string): HubAttribute<T> {
  const decorate = (value: T): AnyDecorator => {
    return (first, second, third) => {
      // Decorators of one target run last to first.
      placeOf(name, first, second, third).declared.attributes.unshift({ attribute: name, value });
    };
  };
  const allOf = (target: HubDescriptor | HubMethodDescriptor): readonly T[] => {
    const { attributes } = target as { readonly attributes?: Attributes };
    return (attributes?.get(name) as readonly T[] | undefined) ?? none;
  };
  return Object.assign(decorate, { allOf, of: (target: HubDescriptor | HubMethodDescriptor) => allOf(target).at(-1) });
}
