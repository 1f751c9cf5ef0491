import type { Awaitable } from '../awaitable.js';
import { hubError } from '../errors.js';
import { hubAttribute } from '../hubs/hub-attribute.js';
import type { User } from '../security/user.js';
import type { HubPipelineModule, Next } from './hub-pipeline-module.js';
import type { Outcome } from './outcome.js';
import type { AuthorizeConnectContext, InvokeContext } from './stage-contexts.js';

/** Who may. Without users and roles: everybody who is authenticated. */
export interface AuthorizeRule {
  /** Ids of users; one of them. */
  readonly users?: readonly string[] | undefined;
  /** Roles; the user has one of them. */
  readonly roles?: readonly string[] | undefined;
}

const rules = hubAttribute<AuthorizeRule>('authorize');

/**
 * Says who may use a hub, or call a hub method. On a hub it holds for connecting and for every call; on a method for
 * its calls, in addition. Several rules must all hold.
 *
 * @example
 * ```ts
 * import { authorize, hub, Hub, hubMethod } from '@hubline/core';
 *
 * @hub('ops')
 * @authorize()
 * export class OpsHub extends Hub {
 *   @authorize({ roles: ['admin'] }) @hubMethod() restart(service: string) { return `${service} restarts`; }
 * }
 * ```
 */
export const authorize = (rule: AuthorizeRule = {}): ReturnType<typeof rules> => rules(rule);

/**
 * Built in, innermost: holds what `@authorize` says. A hub is refused at connect (401 or 403); a call with
 * `HUB_NOT_AUTHORIZED`, which every other module sees.
 */
export class AuthorizeModule implements HubPipelineModule {
  readonly name = 'authorize';

  authorizeConnect(context: AuthorizeConnectContext, next: Next<boolean>): Awaitable<boolean> {
    return allows(rules.allOf(context.hub), context.user) && next();
  }

  invoke(context: InvokeContext, next: Next<Outcome>): Awaitable<Outcome> {
    if (allows(rules.allOf(context.method ?? context.hub), context.user)) return next();
    throw hubError('HUB_NOT_AUTHORIZED', { hub: context.hub.name, method: context.methodName });
  }
}

function allows(required: readonly AuthorizeRule[], user: User): boolean {
  return required.every(
    ({ users, roles }) =>
      user.isAuthenticated &&
      (users === undefined || users.includes(user.id)) &&
      (roles === undefined || roles.some((role) => user.roles.includes(role))),
  );
}
