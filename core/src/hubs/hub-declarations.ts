import { hubError } from '../errors.js';
import type { HubMethod } from './hub-type.js';

// Standard decorators are given metadata only if this symbol exists before their class is defined.
(Symbol as { metadata: symbol }).metadata ??= Symbol.for('Symbol.metadata');

// A symbol of the whole process, so that the decorators of one copy of this package are read by another.
const key: unique symbol = Symbol.for('hubline.declarations') as never;

/** One value of one attribute. It is known by its name, so that two copies of a package agree. */
export interface AttributeValue {
  readonly attribute: string;
  readonly value: unknown;
}

/** What `@hubMethod` was told, and the `length` of the function under it. */
export interface MethodDeclaration {
  readonly name: string | undefined;
  readonly arity: readonly [min: number, max: number] | undefined;
  readonly length: number;
}

/** What the decorators of one method in one class say. */
export interface DeclaredMethod {
  declaration: MethodDeclaration | undefined;
  readonly attributes: AttributeValue[];
}

/** What the decorators in one class say; nothing of it is inherited. */
export interface DeclaredHub {
  name: string | undefined;
  readonly attributes: AttributeValue[];
  readonly methods: Map<string, DeclaredMethod>;
}

interface Holder {
  [key]?: DeclaredHub;
}

function declareIn(holder: object): DeclaredHub {
  if (!Object.hasOwn(holder, key)) {
    const declared: DeclaredHub = { name: undefined, attributes: [], methods: new Map() };
    Object.defineProperty(holder, key, { value: declared });
  }
  return (holder as Holder)[key] as DeclaredHub;
}

function declareMethodIn(holder: object, property: string): DeclaredMethod {
  const { methods } = declareIn(holder);
  let declared = methods.get(property);
  if (declared === undefined) {
    declared = { declaration: undefined, attributes: [] };
    methods.set(property, declared);
  }
  return declared;
}

/** What a class itself declares, in whichever mode it was compiled. */
export function declaredBy(type: object): DeclaredHub | undefined {
  if (Object.hasOwn(type, key)) return (type as Holder)[key];
  const metadata = Object.hasOwn(type, Symbol.metadata) ? (type as Function)[Symbol.metadata] : undefined;
  // The metadata of a class inherits from that of its base.
  return metadata && Object.hasOwn(metadata, key) ? (metadata as Holder)[key] : undefined;
}

/** What a class and those that it extends declare, base first. */
export function declaredInChain(type: object): readonly DeclaredHub[] {
  const chain: DeclaredHub[] = [];
  for (
    let link: object | null = type;
    typeof link === 'function';
    link = Object.getPrototypeOf(link) as object | null
  ) {
    const declared = declaredBy(link);
    if (declared !== undefined) chain.unshift(declared);
  }
  return chain;
}

interface StandardContext {
  readonly kind: string;
  readonly name?: string | symbol | undefined;
  readonly static?: boolean;
  readonly private?: boolean;
  readonly metadata?: object | null;
}

/** A decorator, as it is called in either mode. */
export type AnyDecorator = (first: unknown, second?: unknown, third?: unknown) => void;

/** Where a decorator stands. */
export type Place =
  | { readonly kind: 'class'; readonly declared: DeclaredHub }
  | { readonly kind: 'method'; readonly declared: DeclaredMethod; readonly method: HubMethod };

/** Finds where a decorator stands; the second argument tells the mode. Throws `HUB_DECORATOR_MISPLACED`. */
export function placeOf(decorator: string, first: unknown, second: unknown, third: unknown): Place {
  const isStandard = typeof second === 'object' && second !== null;
  const place = isStandard ? standardPlace(first, second as StandardContext) : legacyPlace(first, second, third);
  return place ?? misplaced(decorator);
}

export function misplaced(decorator: string): never {
  throw hubError('HUB_DECORATOR_MISPLACED', { decorator });
}

function standardPlace(value: unknown, context: StandardContext): Place | undefined {
  const { kind, name, metadata } = context;
  if (!metadata) return undefined;
  if (kind === 'class') return { kind, declared: declareIn(metadata) };
  if (kind !== 'method' || typeof name !== 'string' || context.static || context.private) return undefined;
  return { kind, declared: declareMethodIn(metadata, name), method: value as HubMethod };
}

function legacyPlace(target: unknown, property: unknown, descriptor: unknown): Place | undefined {
  if (typeof target === 'function') {
    return property === undefined ? { kind: 'class', declared: declareIn(target) } : undefined;
  }
  const method = (descriptor as PropertyDescriptor | undefined)?.value as unknown;
  if (typeof property !== 'string' || typeof method !== 'function') return undefined;
  const type = (target as object).constructor;
  return { kind: 'method', declared: declareMethodIn(type, property), method: method as HubMethod };
}
