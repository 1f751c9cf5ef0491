import { isPromise, type Awaitable } from '../awaitable.js';
import { hubError } from '../errors.js';
import { bindHub } from '../hubs/hub-call.js';
import type { HubCallerContext } from '../hubs/hub-caller-context.js';
import type { HubScope } from '../hubs/hub-activator.js';
import type { HubDescriptor } from '../hubs/hub-descriptor.js';
import type { GroupChanger, HubSender } from '../hubs/hub-sender.js';
import type { HubType } from '../hubs/hub-type.js';
import type { Hub } from '../hubs/hub.js';
import type { ConnectionEvent } from '../pipeline/stage-context.js';
import type { DispatcherGround } from './dispatcher-ground.js';

/** Makes an instance of a hub for an event, and releases what the event used when it and its sends are over. */
export class HubEvents {
  constructor(
    private readonly ground: DispatcherGround,
    private readonly sender: HubSender<HubCallerContext>,
    private readonly groups: GroupChanger<HubCallerContext>,
  ) {}

  /** A new instance, bound to the event. Throws `HUB_CREATE_FAILED`. */
  activate(context: ConnectionEvent): Awaitable<Hub> {
    try {
      const scope = this.ground.activator.createScope(context);
      const hub = isPromise<HubScope>(scope)
        ? scope.then((made) => this.resolve(context, made))
        : this.resolve(context, scope);
      return isPromise<Hub>(hub)
        ? hub.then(
            (made) => this.bind(made, context),
            (error: unknown) => this.fail(context.hub, error),
          )
        : this.bind(hub, context);
    } catch (error) {
      return this.fail(context.hub, error);
    }
  }

  /** To be called once for each event, when its chain has settled. */
  close(context: ConnectionEvent): Awaitable<void> {
    const { pendingSends } = context;
    if (pendingSends === undefined) return this.release(context);
    return pendingSends.then(() =>
      context.pendingSends === pendingSends ? this.release(context) : this.close(context),
    );
  }

  private resolve(context: ConnectionEvent, scope: HubScope): Awaitable<Hub> {
    context.ownScope = scope;
    return scope.resolve(context.hub.type as HubType);
  }

  private bind(hub: Hub, context: ConnectionEvent): Hub {
    bindHub(hub, { descriptor: context.hub, sender: this.sender, groups: this.groups, context });
    return hub;
  }

  private fail(hub: HubDescriptor, cause: unknown): never {
    throw hubError('HUB_CREATE_FAILED', { hub: hub.name }, cause);
  }

  private release(context: ConnectionEvent): Awaitable<void> {
    context.ended = true;
    const scope = context.ownScope;
    if (scope === undefined) return;
    context.ownScope = undefined;
    try {
      const disposed = scope.dispose();
      if (isPromise<void>(disposed))
        return disposed.then(undefined, (error: unknown) => this.reportRelease(context, error));
    } catch (error) {
      this.reportRelease(context, error);
    }
  }

  private reportRelease({ hub }: ConnectionEvent, cause: unknown): void {
    const error = hubError('HUB_RELEASE_FAILED', { hub: hub.name }, cause);
    this.ground.logger.error({ error, hub: hub.name }, 'What an event used could not be released.');
  }
}
