import { hubError } from '../errors.js';
import {
  type AttributeValue,
  declaredBy,
  declaredInChain,
  type DeclaredHub,
  type DeclaredMethod,
  type MethodDeclaration,
} from './hub-declarations.js';
import type { HubType } from './hub-type.js';
import { Hub } from './hub.js';

/** Which events a hub's class overrides. For one that it does not, no instance is made. */
export interface HandledEvents {
  readonly connected: boolean;
  readonly reconnected: boolean;
  readonly disconnected: boolean;
}

/** What the server knows of a hub: its class, read once, when the server is made. Modules see it as `context.hub`. */
export interface HubDescriptor {
  /** As `@hub` gave it; for a hub that the server does not have, as the client sent it. */
  readonly name: string;
  /** The name in lower case: what hubs are found by. */
  readonly key: string;
  /** `undefined` for a hub that the server does not have. */
  readonly type: HubType | undefined;
  /** By their names in lower case. */
  readonly methods: ReadonlyMap<string, HubMethodDescriptor>;
  readonly handles: HandledEvents;
}

/** What the server knows of a hub method. Modules see it as `context.method`. */
export interface HubMethodDescriptor {
  readonly hub: HubDescriptor;
  /** What clients call it. */
  readonly name: string;
  /** The property of the hub that holds it. */
  readonly property: string;
  readonly minArguments: number;
  readonly maxArguments: number;
  /** For people: `say (2 arguments)`, `roll (1 to 2 arguments)`. */
  readonly signature: string;
}

/** The values of each attribute, by its name, outermost first. */
export type Attributes = ReadonlyMap<string, readonly unknown[]>;

class DescribedHub implements HubDescriptor {
  readonly key: string;
  readonly methods = new Map<string, HubMethodDescriptor>();

  constructor(
    readonly name: string,
    readonly type: HubType | undefined,
    readonly handles: HandledEvents,
    readonly attributes: Attributes,
  ) {
    this.key = name.toLowerCase();
  }
}

class DescribedMethod implements HubMethodDescriptor {
  readonly signature: string;

  constructor(
    readonly hub: HubDescriptor,
    readonly name: string,
    readonly property: string,
    readonly minArguments: number,
    readonly maxArguments: number,
    readonly attributes: Attributes,
  ) {
    const count = minArguments === maxArguments ? `${maxArguments}` : `${minArguments} to ${maxArguments}`;
    this.signature = `${name} (${count} argument${count === '1' ? '' : 's'})`;
  }
}

const validName = /^[A-Za-z0-9_-]{1,100}$/;

/** Reads a hub's class. Throws `HUB_NOT_A_HUB`, `HUB_NAME_INVALID`, `HUB_METHOD_TAKEN` or `HUB_ARITY_INVALID`. */
export function describeHub(type: HubType): HubDescriptor {
  const name = typeof type === 'function' ? declaredBy(type)?.name : undefined;
  if (name === undefined) throw hubError('HUB_NOT_A_HUB', { type: nameOf(type) });
  if (typeof name !== 'string' || !validName.test(name)) throw hubError('HUB_NAME_INVALID', { name: String(name) });

  const chain = declaredInChain(type);
  const classAttributes = chain.flatMap((declared) => declared.attributes);
  const hub = new DescribedHub(name, type, handledBy(type), byAttribute(classAttributes));
  for (const [property, { declaration, attributes }] of mergeMethods(chain)) {
    if (declaration === undefined) continue;
    const method = describeMethod(hub, property, declaration, byAttribute([...classAttributes, ...attributes]));
    const key = method.name.toLowerCase();
    const first = hub.methods.get(key);
    if (first !== undefined) {
      throw hubError('HUB_METHOD_TAKEN', { hub: name, name: method.name, first: first.property, second: property });
    }
    hub.methods.set(key, method);
  }
  return hub;
}

/** Reads the classes of all hubs, by their keys. Throws `HUB_NAME_TAKEN`, and what {@link describeHub} throws. */
export function describeHubs(types: Iterable<HubType>): ReadonlyMap<string, HubDescriptor> {
  const hubs = new Map<string, HubDescriptor>();
  for (const type of types) {
    const hub = describeHub(type);
    const first = hubs.get(hub.key)?.type;
    if (first !== undefined) {
      throw hubError('HUB_NAME_TAKEN', { name: hub.name, first: nameOf(first), second: nameOf(type) });
    }
    hubs.set(hub.key, hub);
  }
  return hubs;
}

/** A hub that the server does not have: the name as it was sent, and no methods. */
export function unknownHub(name: string): HubDescriptor {
  return new DescribedHub(name, undefined, { connected: false, reconnected: false, disconnected: false }, new Map());
}

function describeMethod(
  hub: HubDescriptor,
  property: string,
  given: MethodDeclaration,
  attributes: Attributes,
): HubMethodDescriptor {
  const arity = given.arity ?? [given.length, given.length];
  if (!isArity(arity)) throw hubError('HUB_ARITY_INVALID', { hub: hub.name, method: property });
  return new DescribedMethod(hub, given.name ?? property, property, arity[0], arity[1], attributes);
}

function isArity(arity: unknown): arity is readonly [number, number] {
  if (!Array.isArray(arity) || arity.length !== 2 || !arity.every(Number.isSafeInteger)) return false;
  const [min, max] = arity as [number, number];
  return 0 <= min && min <= max;
}

/** What a subclass says of a method replaces what its bases said; attributes add up, or an override would lose them. */
function mergeMethods(chain: readonly DeclaredHub[]): ReadonlyMap<string, DeclaredMethod> {
  const merged = new Map<string, DeclaredMethod>();
  for (const { methods } of chain) {
    for (const [property, { declaration, attributes }] of methods) {
      const base = merged.get(property);
      merged.set(property, {
        declaration: declaration ?? base?.declaration,
        attributes: [...(base?.attributes ?? []), ...attributes],
      });
    }
  }
  return merged;
}

function byAttribute(values: readonly AttributeValue[]): Attributes {
  const attributes = new Map<string, unknown[]>();
  for (const { attribute, value } of values) {
    const known = attributes.get(attribute);
    if (known === undefined) attributes.set(attribute, [value]);
    else known.push(value);
  }
  return attributes;
}

function handledBy(type: HubType): HandledEvents {
  const own = type.prototype as Hub;
  const base = Hub.prototype;
  return {
    connected: own.onConnected !== base.onConnected,
    reconnected: own.onReconnected !== base.onReconnected,
    disconnected: own.onDisconnected !== base.onDisconnected,
  };
}

function nameOf(type: unknown): string {
  return typeof type === 'function' ? type.name : String(type);
}
