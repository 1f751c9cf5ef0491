import { HublineError, HubException } from '../../errors.js';
import { writeJson } from '../../json.js';
import type { ClassicCall, ClassicError } from './aspnet-protocol.js';

/** What a caller is told of a failure: what was thrown for it, else a generic text, or with details what happened. */
export function describeError(error: unknown, { hub, method }: ClassicCall, detailed: boolean): ClassicError {
  if (HubException.is(error))
    return { text: error.message || generic(hub, method), fromHub: true, data: dataOf(error) };
  return { text: detailed ? detailsOf(error, hub, method) : generic(hub, method), fromHub: false, data: undefined };
}

function generic(hub: string, method: string): string {
  return `There was an error invoking Hub method '${hub}.${method}'.`;
}

function detailsOf(error: unknown, hub: string, method: string): string {
  if (HublineError.is(error))
    return error.code === 'HUB_NOT_AUTHORIZED'
      ? `Caller is not authorized to invoke the ${method} method on ${hub}.`
      : error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : generic(hub, method);
}

/** Data that cannot be written must not keep the message from the caller. */
function dataOf(error: HubException): string | undefined {
  if (error.data === undefined || error.data === null) return undefined;
  try {
    return writeJson(error.data, 'data');
  } catch {
    return undefined;
  }
}
