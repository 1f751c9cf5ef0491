const brand = Symbol.for('hubline.error');

/**
 * An error with a code. The message says what was wrong, what was expected and what to do; it is for the people who
 * run the server and is never sent to a client (that is what {@link HubException} is for).
 *
 * @example
 * ```ts
 * import { HublineError } from '@hubline/core';
 *
 * export const isMissingKey = (error: unknown): boolean => HublineError.is(error) && error.code === 'HUB_NO_CALL';
 * ```
 */
export class HublineError extends Error {
  /** The code, `HUB_…`; all codes of this package stand in `docs/reference/errors.md`. */
  readonly code: string;
  /** What the message was made of. */
  readonly details: Readonly<Record<string, unknown>>;
  /** Marks errors of every copy of this package in the process. */
  readonly [brand] = true;

  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.details = details;
  }

  /** Whether `error` is a `HublineError`, also one of another copy of this package. */
  static is(error: unknown): error is HublineError {
    return typeof error === 'object' && error !== null && brand in error;
  }
}

/**
 * What a hub method or a module throws to tell the client why. Its message always reaches the client; classic clients
 * are given `data` too.
 *
 * @example
 * ```ts
 * import { HubException } from '@hubline/core';
 *
 * export function enter(room: { readonly name: string; readonly free: number }): void {
 *   if (room.free === 0) throw new HubException(`Room '${room.name}' is full.`, { free: 0 });
 * }
 * ```
 */
export class HubException extends HublineError {
  /** Sent to classic clients beside the message. Must be something that JSON can express. */
  readonly data: unknown;

  constructor(message: string, data?: unknown, code = 'HUB_EXCEPTION') {
    super(code, message, {});
    this.data = data;
  }

  /** Whether `error` is a `HubException`, also one of another copy of this package. */
  static override is(error: unknown): error is HubException {
    return HublineError.is(error) && 'data' in error;
  }
}

type Message<Details> = (details: Details) => string;
/** Codes and the messages that are made for them. */
export type ErrorCatalogue = Readonly<Record<`HUB_${string}`, (details: never) => string>>;

/** Makes the errors of one catalogue; what `defineErrors` gives. */
export interface ErrorFactory<Catalogue extends ErrorCatalogue> {
  <Code extends keyof Catalogue & string>(
    code: Code,
    ...rest: Catalogue[Code] extends (details: infer Details) => string
      ? unknown extends Details
        ? [details?: Readonly<Record<string, unknown>>, cause?: unknown]
        : [details: Details, cause?: unknown]
      : never
  ): HublineError;
  /** All codes of the catalogue, in the order in which they were written. */
  readonly codes: readonly (keyof Catalogue & string)[];
}

/**
 * Makes a package's error catalogue: one place for its codes and texts, with details typed per code. Extensions use
 * it for their own.
 *
 * @example
 * ```ts
 * import { defineErrors } from '@hubline/core';
 *
 * export const rateError = defineErrors({
 *   HUB_RATE_LIMITED: (details: { readonly user: string }) => `User '${details.user}' called too often. Slow down.`,
 * });
 * ```
 */
export function defineErrors<const Catalogue extends ErrorCatalogue>(catalogue: Catalogue): ErrorFactory<Catalogue> {
  const make = (code: keyof Catalogue & string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) => {
    const message = (catalogue[code] as Message<typeof details>)(details);
    return new HublineError(code, message, details, cause);
  };
  return Object.assign(make, {
    codes: Object.keys(catalogue) as (keyof Catalogue & string)[],
  }) as ErrorFactory<Catalogue>;
}

/** The errors of this package. Each is explained in `docs/reference/errors.md`. */
export const hubError = defineErrors({
  HUB_EXCEPTION: () => 'A hub method or a module refused with a message of its own.',

  // Hubs and their declarations
  HUB_NOT_A_HUB: (d: { readonly type: string }) => `'${d.type}' is no hub: it has no @hub('name') decorator. Add one.`,
  HUB_NAME_INVALID: (d: { readonly name: string }) =>
    `'${d.name}' cannot be a hub's name. Use 1 to 100 letters, digits, '_' or '-'; clients ignore case.`,
  HUB_NAME_TAKEN: (d: { readonly name: string; readonly first: string; readonly second: string }) =>
    `'${d.first}' and '${d.second}' are both called '${d.name}' (case does not count). Rename one.`,
  HUB_METHOD_TAKEN: (d: {
    readonly hub: string;
    readonly name: string;
    readonly first: string;
    readonly second: string;
  }) =>
    `'${d.first}' and '${d.second}' of hub '${d.hub}' are both called '${d.name}' (case does not count). Rename one.`,
  HUB_ARITY_INVALID: (d: { readonly hub: string; readonly method: string }) =>
    `'${d.hub}.${d.method}' was given an arity that is not [min, max] with whole numbers and 0 <= min <= max.`,
  HUB_DECORATOR_MISPLACED: (d: { readonly decorator: string }) =>
    `@${d.decorator} cannot stand there. Hubs are classes, and hub methods are methods of an instance that are named by a text and not private; standard decorators need a compiler that gives them 'metadata'.`,
  HUB_UNKNOWN: (d: { readonly type: string }) =>
    `'${d.type}' is not one of this server's hubs. List it in the option 'hubs'.`,
  HUB_NO_CALL: (d: { readonly member: string }) =>
    `'${d.member}' is not there in a hub's constructor. Use it in the hub's methods and events.`,
  HUB_CALL_ENDED: (d: { readonly member: string }) =>
    `'${d.member}' belongs to a call that has ended. Use it before the hub method returns.`,
  HUB_CREATE_FAILED: (d: { readonly hub: string }) => `An instance of hub '${d.hub}' could not be made. See the cause.`,

  // The pipeline
  HUB_MODULE_NAME_INVALID: () => 'A pipeline module needs a name: a text that is not empty.',
  HUB_MODULE_NAME_TAKEN: (d: { readonly module: string }) =>
    `There is already a pipeline module called '${d.module}'. Give each module a name of its own.`,
  HUB_MODULE_EMPTY: (d: { readonly module: string; readonly stages: string }) =>
    `The pipeline module '${d.module}' has no stage, so it can never run. Stages are: ${d.stages}.`,
  HUB_MODULE_STAGE_INVALID: (d: { readonly module: string; readonly stage: string }) =>
    `'${d.stage}' of the pipeline module '${d.module}' is not a function.`,
  HUB_MODULE_UNKNOWN: (d: { readonly module: string; readonly known: string }) =>
    `There is no pipeline module '${d.module}'. There are: ${d.known}.`,
  HUB_PIPELINE_FROZEN: () => 'The pipeline cannot be changed after the server has started. Add modules before.',
  HUB_NEXT_CALLED_TWICE: (d: { readonly module: string; readonly stage: string }) =>
    `The stage '${d.stage}' of module '${d.module}' called next() a second time. Call it once.`,
  HUB_NEXT_NOT_CALLED: (d: { readonly module: string; readonly stage: string }) =>
    `The stage '${d.stage}' of module '${d.module}' ended without next(). Await next(), or throw to refuse.`,
  HUB_NEXT_NOT_AWAITED: (d: { readonly module: string; readonly stage: string }) =>
    `The stage '${d.stage}' of module '${d.module}' ended before next() had. Await next().`,
  HUB_STAGE_RETURNED_NOTHING: (d: { readonly module: string; readonly stage: string }) =>
    `The stage '${d.stage}' of module '${d.module}' returned nothing. Return what next() gives, or a value of your own (null for nothing).`,
  HUB_STAGE_RESULT_INVALID: (d: { readonly stage: string; readonly expected: string }) =>
    `The stage '${d.stage}' gave something else than ${d.expected}.`,
  HUB_STAGE_DEADLINE: (d: { readonly stage: string; readonly hub: string; readonly deadlineMs: number }) =>
    `The stage '${d.stage}' of hub '${d.hub}' was not done after ${d.deadlineMs} ms, and the event was refused.`,

  // Calls from clients
  HUB_UNKNOWN_HUB: (d: { readonly hub: string }) => `A client called a hub '${d.hub}' that this server does not have.`,
  HUB_UNKNOWN_METHOD: (d: { readonly hub: string; readonly method: string; readonly candidates: string }) =>
    `Hub '${d.hub}' has no method '${d.method}'. It has: ${d.candidates}.`,
  HUB_ARGUMENT_COUNT: (d: {
    readonly hub: string;
    readonly method: string;
    readonly expected: string;
    readonly got: number;
  }) => `'${d.hub}.${d.method}' takes ${d.expected} arguments, not ${d.got}.`,
  HUB_NOT_AUTHORIZED: (d: { readonly hub: string; readonly method: string }) =>
    `The caller may not call '${d.hub}.${d.method}'.`,
  HUB_NOT_SUPPORTED: (d: { readonly feature: string }) => `${d.feature} is not supported by this server.`,

  // Values on the wire
  HUB_CANNOT_ENCODE: (d: { readonly path: string; readonly why: string }) =>
    `The value at ${d.path} cannot be sent: ${d.why}.`,
  HUB_MESSAGE_INVALID: (d: { readonly why: string }) => `A message could not be read: ${d.why}.`,
  HUB_MESSAGE_TOO_LARGE: (d: { readonly limitBytes: number }) => `A message is larger than ${d.limitBytes} bytes.`,
  HUB_MESSAGE_TOO_DEEP: (d: { readonly limit: number }) => `A message is nested deeper than ${d.limit} levels.`,
  HUB_TARGET_INVALID: (d: { readonly kind: string }) =>
    `A ${d.kind} is named by a text that is not empty. Check what was passed.`,

  // Groups
  HUB_GROUP_NAME_INVALID: (d: { readonly why: string }) => `That cannot be a group's name: ${d.why}.`,
  HUB_TOO_MANY_GROUPS: (d: { readonly limit: number }) =>
    `The connection is in ${d.limit} groups already, and no more are allowed. See the option 'maxGroupsPerConnection'.`,
  HUB_GROUPS_TOKEN_TOO_LARGE: (d: { readonly connection: string; readonly limitBytes: number }) =>
    `The groups of connection '${d.connection}' do not fit into a token of ${d.limitBytes} bytes; it can rejoin them only where its record is held.`,

  // Connections
  HUB_TOO_MANY_CONNECTIONS: (d: { readonly limit: number }) =>
    `The server has ${d.limit} connections, and no more are allowed. See the option 'maxConnections'.`,

  // The server
  HUB_USER_INVALID: (d: { readonly got: string }) =>
    `'authenticate' gave a user whose id is no text, but ${d.got}. Make users by createUser({ id }), or give undefined.`,
  HUB_OPTION_UNKNOWN: (d: { readonly option: string; readonly known: string }) =>
    `There is no option '${d.option}'. There are: ${d.known}.`,
  HUB_OPTION_INVALID: (d: { readonly option: string; readonly expected: string }) =>
    `The option '${d.option}' must be ${d.expected}.`,
  HUB_NO_KEYS: () =>
    "No 'keys' were given: a random one is used, and tokens end with this process. Give keys to let clients come back after a restart.",
  HUB_SERVER_STOPPED: () => 'The server has been stopped. Make a new one.',
  HUB_EVENT_FAILED: (d: { readonly hub: string; readonly stage: string }) =>
    `The stage '${d.stage}' of hub '${d.hub}' failed. See the cause.`,
  HUB_SEND_FAILED: (d: { readonly hub: string; readonly method: string }) =>
    `Sending '${d.method}' of hub '${d.hub}' failed, and nobody waited for it. See the cause.`,
  HUB_GROUP_CHANGE_FAILED: (d: { readonly hub: string }) =>
    `Adding to a group of hub '${d.hub}', or removing, failed, and nobody waited for it. See the cause.`,
  HUB_REQUEST_FAILED: (d: { readonly path: string }) => `The request to '${d.path}' failed. See the cause.`,
  HUB_RELEASE_FAILED: (d: { readonly hub: string }) => `Releasing what an event of hub '${d.hub}' used failed.`,
});
