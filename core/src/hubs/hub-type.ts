import type { Constructor } from './hub-activator.js';
import type { Hub } from './hub.js';

/** A class of hubs. Its constructor's parameters are the activator's affair. */
export type HubType<H extends Hub = Hub> = Constructor<H>;

/** Any function that could be a hub method. */
export type HubMethod = (...args: never[]) => unknown;

/**
 * The public methods of a hub, under their property names. A decorator leaves no trace in a class's type, so public
 * methods without `@hubMethod` are among them, and renamed ones stand under the name that the class gives them.
 *
 * @example
 * ```ts
 * import { hub, Hub, hubMethod, type HubMethods } from '@hubline/core';
 *
 * @hub('echo')
 * export class EchoHub extends Hub {
 *   @hubMethod() echo(text: string): string { return text; }
 * }
 *
 * export type Echo = HubMethods<EchoHub>['echo'];
 * ```
 */
export type HubMethods<H extends Hub> = {
  readonly [K in Exclude<keyof H, keyof Hub> & string as H[K] extends HubMethod ? K : never]: H[K];
};
