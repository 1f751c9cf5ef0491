import { hubError } from '../errors.js';
import type { HubMethodDescriptor } from '../hubs/hub-descriptor.js';

/** Checks that a method can take so many arguments. Throws `HUB_ARGUMENT_COUNT`. */
export function bindArguments(method: HubMethodDescriptor, args: readonly unknown[]): readonly unknown[] {
  const { minArguments, maxArguments } = method;
  if (args.length >= minArguments && args.length <= maxArguments) return args;
  const count = minArguments === maxArguments ? `${minArguments}` : `${minArguments} to ${maxArguments}`;
  throw hubError('HUB_ARGUMENT_COUNT', {
    hub: method.hub.name,
    method: method.name,
    expected: count,
    got: args.length,
  });
}
