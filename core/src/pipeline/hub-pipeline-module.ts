import type { Awaitable } from '../awaitable.js';
import type { Outcome } from './outcome.js';
import type {
  AuthorizeConnectContext,
  ConnectContext,
  DisconnectContext,
  InvokeContext,
  ReconnectContext,
  RejoiningGroupsContext,
  SendContext,
} from './stage-contexts.js';

/** Runs the rest of the chain. Call it once. */
export type Next<Result = void> = () => Awaitable<Result>;

/**
 * One link of a chain: does something before and after `next()`, answers instead of it, or throws to refuse.
 *
 * A stage with a result returns what `next()` gave or a value of its own, never `undefined`; one without must have
 * awaited `next()`.
 */
export type Stage<Context, Result = void> = (context: Context, next: Next<Result>) => Awaitable<Result>;

/**
 * A link of the hub pipeline: an object with a name and at least one stage. The first module added is the outermost.
 *
 * - `authorizeConnect`: once per hub at negotiate, when a connection opens, and when it resumes. `false` refuses.
 * - `connect`: once per hub, when a connection is confirmed. Innermost: `onConnected`.
 * - `rejoiningGroups`: once per hub when a connection resumes. Answers the groups that it may be in again.
 * - `reconnect`: once per hub, after the groups are back and before what was missed is delivered. Innermost:
 *   `onReconnected`.
 * - `invoke`: each call of a client, unknown methods included. Innermost: the hub method.
 * - `send`: each call to clients, once whatever the number of receivers. Innermost: publishing.
 * - `disconnect`: once per hub and life. Innermost: `onDisconnected`. It cannot be refused.
 *
 * @example
 * ```ts
 * import { HubException, type HubPipelineModule } from '@hubline/core';
 *
 * export const noShouting: HubPipelineModule = {
 *   name: 'no-shouting',
 *   invoke(context, next) {
 *     const [text] = context.arguments;
 *     if (typeof text === 'string' && text === text.toUpperCase()) throw new HubException('Do not shout.');
 *     return next();
 *   },
 * };
 * ```
 */
export interface HubPipelineModule {
  /** Unique in the pipeline; errors and `inspect()` name the module by it. */
  readonly name: string;
  readonly authorizeConnect?: Stage<AuthorizeConnectContext, boolean> | undefined;
  readonly connect?: Stage<ConnectContext> | undefined;
  readonly rejoiningGroups?: Stage<RejoiningGroupsContext, readonly string[]> | undefined;
  readonly reconnect?: Stage<ReconnectContext> | undefined;
  readonly invoke?: Stage<InvokeContext, Outcome> | undefined;
  readonly send?: Stage<SendContext, 'sent' | 'dropped'> | undefined;
  readonly disconnect?: Stage<DisconnectContext> | undefined;
}

/** The name of a stage. */
export type StageName = Exclude<keyof HubPipelineModule, 'name'>;

/** The type of a stage by its name. */
export type StageOf<Name extends StageName> = NonNullable<HubPipelineModule[Name]>;

/** All stages, in the order in which a connection meets them. */
export const stageNames = [
  'authorizeConnect',
  'connect',
  'rejoiningGroups',
  'reconnect',
  'invoke',
  'send',
  'disconnect',
] as const satisfies readonly StageName[];
