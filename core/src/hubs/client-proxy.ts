import type { HubCallerContext } from './hub-caller-context.js';
import type { HubDescriptor } from './hub-descriptor.js';
import type { HubSender, SendTarget } from './hub-sender.js';

/** What lies under a proxy: to whom it sends, and through whom. */
class Receivers {
  constructor(
    readonly sender: HubSender<HubCallerContext>,
    readonly hub: HubDescriptor,
    readonly target: SendTarget,
    readonly call: HubCallerContext | undefined,
  ) {}

  /** Node prints what lies under a proxy, and the sender is the whole server. `this` is the proxy here, of no use. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[clients of a hub]';
  }
}

// What is asked of any object that is awaited, logged or encoded; answering would send a message by that name.
const probed: ReadonlySet<string> = new Set(['then', 'toJSON', 'constructor', 'toString', 'valueOf', 'inspect', 'ask']);

/** One for all proxies: the engine knows the traps of a handler that it has seen before. */
const handler: ProxyHandler<Receivers> = {
  get(receivers, method) {
    if (typeof method === 'symbol' || probed.has(method)) return undefined;
    return (...args: unknown[]) => receivers.sender.send(receivers.hub, receivers.target, method, args, receivers.call);
  },
  set: () => false,
  has: (_receivers, method) => typeof method === 'string' && !probed.has(method),
  ownKeys: () => [],
};

/** Makes an object that has every method, and sends what is called on it to the target. */
export function clientProxy<Methods>(
  sender: HubSender<HubCallerContext>,
  hub: HubDescriptor,
  target: SendTarget,
  call: HubCallerContext | undefined,
): Methods {
  return new Proxy(new Receivers(sender, hub, target, call), handler) as Methods;
}
