import { HublineError, HubException } from '../../errors.js';

/** What a Close message tells with `detailedErrors`, beyond that there was an error. */
export function closeDetail(error: Error): string {
  switch (HublineError.is(error) ? error.code : '') {
    case 'HUB_MESSAGE_TOO_LARGE': {
      const limit = String((error as HublineError).details['limitBytes']);
      const hint = 'The message size can be configured in AddHubOptions.';
      return `InvalidDataException: The maximum message size of ${limit}B was exceeded. ${hint}`;
    }
    case 'HUB_MESSAGE_INVALID':
    case 'HUB_MESSAGE_TOO_DEEP':
      return `InvalidDataException: ${error.message}`;
  }
  return `${error.name}: ${error.message}`;
}

/** The error of a completion, as clients of this family know it. */
export function completionError(error: unknown, target: string, detailed: boolean): string {
  const failed = `Failed to invoke '${target}' due to an error on the server.`;
  const unexpected = `An unexpected error occurred invoking '${target}' on the server.`;
  if (HubException.is(error)) return `${unexpected} HubException: ${error.message}`;
  switch (HublineError.is(error) ? error.code : '') {
    case 'HUB_UNKNOWN_METHOD':
      return `${failed} HubException: Method does not exist.`;
    case 'HUB_NOT_AUTHORIZED':
      return `Failed to invoke '${target}' because user is unauthorized`;
    case 'HUB_ARGUMENT_COUNT': {
      const { got, expected } = (error as HublineError).details;
      const detail = `Invocation provides ${String(got)} argument(s) but target expects ${String(expected)}.`;
      return detailed ? `${failed} InvalidDataException: ${detail}` : failed;
    }
    case 'HUB_NOT_SUPPORTED':
      return `${unexpected} HubException: ${(error as HublineError).message}`;
  }
  return detailed && error instanceof Error ? `${unexpected} ${error.name}: ${error.message}` : unexpected;
}
