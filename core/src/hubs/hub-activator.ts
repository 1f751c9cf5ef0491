import type { Awaitable } from '../awaitable.js';
import type { Clock } from '../clock.js';
import type { Connection } from '../connections/connection.js';
import type { Logger } from '../logger.js';
import type { User } from '../security/user.js';

/** A class that can be made with `new`. Its parameters are the activator's affair, hence the `any`. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Constructor<T> = new (...args: any[]) => T;

/** The event that a scope is made for. */
export interface ScopeEvent {
  readonly connection: Connection | undefined;
  readonly user: User | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What one event uses; it ends with the event. */
export interface HubScope {
  /** Makes the hub. Rejecting or throwing fails the event with `HUB_CREATE_FAILED`. */
  resolve<T>(type: Constructor<T>): Awaitable<T>;
  /** Called once, after the event and the sends that it began. */
  dispose(): Awaitable<void>;
}

/**
 * Makes hubs. The default one calls `new`; {@link factoryActivator} calls functions; a container can be one.
 *
 * @example
 * ```ts
 * import type { Constructor, HubActivator } from '@hubline/core';
 *
 * interface Container {
 *   createChild(): { get<T>(type: Constructor<T>): T; dispose(): Promise<void> };
 * }
 *
 * export const containerActivator = (container: Container): HubActivator => ({
 *   createScope() {
 *     const child = container.createChild();
 *     return { resolve: (type) => child.get(type), dispose: () => child.dispose() };
 *   },
 * });
 * ```
 */
export interface HubActivator {
  /** Called once for each event that makes a hub. */
  createScope(event: ScopeEvent): Awaitable<HubScope>;
}

type Factory<T = unknown> = () => Awaitable<T>;
/** A class and the function that makes its instances. */
export type FactoryEntry<T = unknown> = readonly [type: Constructor<T>, make: Factory<T>];

/**
 * An activator that makes hubs with functions; classes that have none are made with `new`, without arguments.
 *
 * @example
 * ```ts
 * import { factoryActivator, hub, Hub, HubServer } from '@hubline/core';
 *
 * @hub('clock')
 * class ClockHub extends Hub {
 *   constructor(readonly zone: string) { super(); }
 * }
 *
 * export const server = new HubServer({
 *   hubs: [ClockHub],
 *   activator: factoryActivator([ClockHub, () => new ClockHub('UTC')]),
 * });
 * ```
 */
export function factoryActivator(...entries: readonly FactoryEntry[]): HubActivator {
  const factories = new Map<Constructor<unknown>, Factory>(entries);
  const scope: HubScope = {
    resolve<T>(type: Constructor<T>) {
      const make = factories.get(type) as Factory<T> | undefined;
      return make === undefined ? new type() : make();
    },
    dispose: () => undefined,
  };
  return { createScope: () => scope };
}
