import { andThen, isPromise, settled, type Awaitable } from '../awaitable.js';
import { hubError } from '../errors.js';
import type { HubCallerContext } from '../hubs/hub-caller-context.js';
import type { HubDescriptor } from '../hubs/hub-descriptor.js';
import type { HubSender, SendTarget } from '../hubs/hub-sender.js';
import { connectionTopic, groupTopic, hubTopic, userTopic } from '../messaging/topic-name.js';
import type { Chain } from '../pipeline/compose.js';
import { SendContext } from '../pipeline/stage-contexts.js';
import { ConnectionEvent, type ContextServices } from '../pipeline/stage-context.js';
import { OutboundCall } from '../wire/hub-message.js';
import { WatchedFailure } from '../watched-failure.js';
import type { DispatcherGround } from './dispatcher-ground.js';
import { EncodedCall } from './encoded-call.js';

type Sent = 'sent' | 'dropped';

/** Takes calls to clients through the `send` chain to the bus, in the order in which an event makes them. */
export class Sends implements HubSender<HubCallerContext> {
  /** Set once, when the pipeline is composed. */
  chain: Chain<SendContext, Sent> = (context) => this.publish(context);

  constructor(
    private readonly ground: DispatcherGround,
    private readonly services: ContextServices,
  ) {}

  send(
    hub: HubDescriptor,
    target: SendTarget,
    method: string,
    args: readonly unknown[],
    call: HubCallerContext | undefined,
  ): Promise<void> {
    const event = call instanceof ConnectionEvent && !call.ended ? call : undefined;
    const context = new SendContext(hub, this.services, event, target, method, args, event?.pendingSends);
    let result: Awaitable<Sent>;
    try {
      result = this.chain(context);
    } catch (error) {
      return WatchedFailure.of<void>({ error }, (unseen) => this.report(hub, method, unseen));
    }
    if (!isPromise<Sent>(result)) return settled;
    const sent = result.then(() => undefined);
    if (event !== undefined) {
      const passed = sent.then(undefined, () => undefined);
      const { pendingSends } = event;
      event.pendingSends = pendingSends === undefined ? passed : pendingSends.then(() => passed);
    }
    return WatchedFailure.of(sent, (unseen) => this.report(hub, method, unseen));
  }

  /** A send from outside of a call that has to wait for `ready` first. */
  sendAfter(
    ready: Promise<void>,
    hub: HubDescriptor,
    target: SendTarget,
    method: string,
    args: readonly unknown[],
  ): Promise<void> {
    const sent = ready.then(() => this.send(hub, target, method, args, undefined));
    return WatchedFailure.of(sent, (unseen) => this.report(hub, method, unseen));
  }

  /** The innermost step: encodes at once, publishes when the sends before it have been. */
  publish(context: SendContext): Awaitable<Sent> {
    const call = new OutboundCall(context.hub.name, context.method, context.arguments, stateFor(context));
    const encoded = new EncodedCall();
    encoded.encode(call, this.ground.registry.protocolsInUse());
    const { before } = context;
    if (before === undefined) return this.handToBus(context, encoded);
    return before.then(() => {
      // A protocol may have come into use meanwhile.
      encoded.encode(call, this.ground.registry.protocolsInUse());
      return this.handToBus(context, encoded);
    });
  }

  private handToBus({ hub, target }: SendContext, encoded: EncodedCall): Awaitable<Sent> {
    const except = target.except.length === 0 ? undefined : new Set(target.except);
    const published = this.ground.bus.publish(topicsOf(hub.key, target), encoded, except);
    return andThen(published, () => {
      encoded.dropFrames();
      return 'sent';
    });
  }

  private report(hub: HubDescriptor, method: string, cause: unknown): void {
    const error = hubError('HUB_SEND_FAILED', { hub: hub.name, method }, cause);
    this.ground.logger.warn({ error, hub: hub.name, method }, 'A send failed that nobody waited for.');
  }
}

function topicsOf(hub: string, { kind, names }: SendTarget): readonly string[] {
  switch (kind) {
    case 'all':
      return [hubTopic(hub)];
    case 'connections':
      return names.map((name) => connectionTopic(hub, name));
    case 'users':
      return names.map((name) => userTopic(hub, name));
    case 'groups':
      return names.map((name) => groupTopic(hub, name));
  }
}

/** What a call has changed of its caller's state goes to the caller alone. */
function stateFor({ call, target }: SendContext): Readonly<Record<string, unknown>> | undefined {
  if (call === undefined || target.kind !== 'connections') return undefined;
  return target.names.length === 1 && target.names[0] === call.connectionId ? call.stateChanges() : undefined;
}
