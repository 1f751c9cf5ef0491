/** Writes one line of the log: first the details, then a text that is always the same for the same thing. */
export type LogMethod = (details: object, message: string) => void;

/**
 * What the server logs through. A pino logger fits as it is.
 *
 * @example
 * ```ts
 * import type { Logger } from '@hubline/core';
 *
 * const ignore = (): void => undefined;
 * export const errorsOnly: Logger = {
 *   trace: ignore, debug: ignore, info: ignore, warn: ignore,
 *   error: (details, message) => process.stderr.write(`${message} ${JSON.stringify(details)}\n`),
 *   fatal: (details, message) => process.stderr.write(`${message} ${JSON.stringify(details)}\n`),
 * };
 * ```
 */
export interface Logger {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
}

const warningsPerCode = 10;

/**
 * The logger of a server that was given none: `warn` and above become process warnings, at most ten for each code, so
 * that a client cannot fill a disk.
 */
export function warningLogger(emit: (text: string, code: string) => void = emitWarning): Logger {
  const seen = new Map<string, number>();
  const ignore = (): void => undefined;
  const warn: LogMethod = (details, message) => {
    const { error } = details as { readonly error?: { readonly code?: unknown; readonly message?: unknown } };
    const code = typeof error?.code === 'string' ? error.code : 'HUBLINE';
    const count = (seen.get(code) ?? 0) + 1;
    if (count > warningsPerCode) return;
    seen.set(code, count);
    const cause = typeof error?.message === 'string' ? ` ${error.message}` : '';
    emit(`${message}${cause}${count === warningsPerCode ? ' (more of these are not shown)' : ''}`, code);
  };
  return { trace: ignore, debug: ignore, info: ignore, warn, error: warn, fatal: warn };
}

function emitWarning(text: string, code: string): void {
  process.emitWarning(text, { type: 'HublineWarning', code });
}
