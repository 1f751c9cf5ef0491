import { isPromise, type Awaitable } from '../awaitable.js';
import type { ConnectionRecord } from '../connections/connection-record.js';
import { HublineError, hubError } from '../errors.js';
import { unknownHub, type HubDescriptor, type HubMethodDescriptor } from '../hubs/hub-descriptor.js';
import type { Hub } from '../hubs/hub.js';
import type { Chain } from '../pipeline/compose.js';
import type { Outcome } from '../pipeline/outcome.js';
import { InvokeContext } from '../pipeline/stage-contexts.js';
import type { ContextServices } from '../pipeline/stage-context.js';
import type { CallReply, EncodedValue, InboundCall } from '../wire/hub-message.js';
import { bindArguments } from './argument-binder.js';
import type { DispatcherGround } from './dispatcher-ground.js';
import type { HubEvents } from './hub-events.js';
import type { Lifecycle } from './lifecycle.js';

type HubFunction = (...args: readonly unknown[]) => unknown;

/** What clients cause with calls that do not fit; no fault of the application. */
const refusals = new Set([
  'HUB_EXCEPTION',
  'HUB_UNKNOWN_HUB',
  'HUB_UNKNOWN_METHOD',
  'HUB_ARGUMENT_COUNT',
  'HUB_NOT_AUTHORIZED',
  'HUB_NOT_SUPPORTED',
]);

/** The context of a call, with its answer's address and what the innermost step has encoded. */
class RunningCall extends InvokeContext {
  value: Outcome | undefined = undefined;
  encoded: EncodedValue | undefined = undefined;

  constructor(
    hub: HubDescriptor,
    services: ContextServices,
    readonly record: ConnectionRecord,
    method: HubMethodDescriptor | undefined,
    private readonly call: InboundCall,
    readonly reply: CallReply,
  ) {
    super(hub, services, record, call.method, method, call.arguments);
  }

  protected override givenState(): InboundCall['state'] {
    return this.call.state;
  }

  protected override report(value: unknown): void {
    const write = this.reply.progress(value, this.stateChanges());
    if (this.pendingSends === undefined) write();
    else void this.pendingSends.then(write);
  }
}

/** Takes calls of clients through the `invoke` chain to hub methods, and their outcome to the reply. */
export class Invocations {
  /** Set once, when the pipeline is composed. */
  chain: Chain<InvokeContext, Outcome> = (context) => this.invoke(context);

  constructor(
    private readonly ground: DispatcherGround,
    private readonly services: ContextServices,
    private readonly events: HubEvents,
    private readonly lifecycle: Lifecycle,
  ) {}

  /** Runs a call, and answers it. Never throws. */
  run(record: ConnectionRecord, call: InboundCall, reply: CallReply): void {
    const hub = this.ground.hubs.get(call.hub.toLowerCase()) ?? unknownHub(call.hub);
    const method = hub.methods.get(call.method.toLowerCase());
    const running = new RunningCall(hub, this.services, record, method, call, reply);
    let outcome: Awaitable<Outcome>;
    try {
      outcome = this.chain(running);
    } catch (error) {
      this.settle(running, undefined, error);
      return;
    }
    if (isPromise<Outcome>(outcome))
      outcome.then(
        (value) => this.settle(running, value, undefined),
        (error: unknown) => this.settle(running, undefined, error),
      );
    else this.settle(running, outcome, undefined);
  }

  /** The innermost step: is the hub open to the caller, do the arguments fit; then the method, then the encoding. */
  invoke(context: InvokeContext): Awaitable<Outcome> {
    const running = context as RunningCall;
    const { hub } = running;
    if (hub.type === undefined) throw hubError('HUB_UNKNOWN_HUB', { hub: hub.name });
    const link = running.record.hubs.get(hub.key);
    const open = link?.listening === true ? true : this.lifecycle.admit(running.record, hub);
    if (isPromise<boolean>(open)) return open.then((allowed) => this.invokeIf(allowed, running));
    return this.invokeIf(open, running);
  }

  private invokeIf(allowed: boolean, running: RunningCall): Awaitable<Outcome> {
    const { hub, method } = running;
    if (!allowed) throw hubError('HUB_NOT_AUTHORIZED', { hub: hub.name, method: running.methodName });
    if (method === undefined) throw unknownMethod(hub, running.methodName);
    const args = bindArguments(method, running.arguments);
    const instance = this.events.activate(running);
    return isPromise<Hub>(instance)
      ? instance.then((made) => this.callMethod(made, method.property, args, running))
      : this.callMethod(instance, method.property, args, running);
  }

  private callMethod(hub: Hub, property: string, args: readonly unknown[], running: RunningCall): Awaitable<Outcome> {
    const result = (hub as unknown as Record<string, HubFunction>)[property]?.(...args);
    return isPromise(result) ? result.then((value) => this.encode(value, running)) : this.encode(result, running);
  }

  private encode(value: unknown, running: RunningCall): Outcome {
    if (isAsyncIterable(value)) {
      // Releases what the generator holds; it has not begun to run.
      void Promise.resolve(value.return?.()).then(undefined, () => undefined);
      throw hubError('HUB_NOT_SUPPORTED', { feature: 'A stream as the result of a hub method' });
    }
    running.value = (value ?? null) as Outcome;
    running.encoded = running.reply.encode(running.value);
    return running.value;
  }

  /** Answers after the sends that the call has begun, so that what it sent arrives first; then lets the next one run. */
  private settle(running: RunningCall, outcome: Outcome | undefined, error: unknown): void {
    const { pendingSends, record } = running;
    const closed = this.events.close(running);
    if (pendingSends === undefined) this.answer(running, outcome, error);
    else void pendingSends.then(() => this.answer(running, outcome, error));
    if (isPromise<void>(closed)) void closed.then(() => record.calls.done());
    else record.calls.done();
  }

  private answer(running: RunningCall, outcome: Outcome | undefined, error: unknown): void {
    if (outcome === undefined) {
      this.fail(running, error);
      return;
    }
    let { encoded } = running;
    try {
      // An outer module may have put another value in the place of what the method gave.
      if (encoded === undefined || outcome !== running.value) encoded = running.reply.encode(outcome);
      running.reply.succeed(encoded, running.stateChanges());
    } catch (failure) {
      this.fail(running, failure);
    }
  }

  private fail(running: RunningCall, error: unknown): void {
    const details = { error, hub: running.hub.name, method: running.methodName };
    if (HublineError.is(error) && refusals.has(error.code)) this.ground.logger.debug(details, 'A call was refused.');
    else this.ground.logger.error(details, 'A call failed.');
    running.reply.fail(error, stateOf(running));
  }
}

/** State that cannot be written must not keep the error from its caller. */
function stateOf(context: InvokeContext): Readonly<Record<string, unknown>> | undefined {
  try {
    const state = context.stateChanges();
    JSON.stringify(state);
    return state;
  } catch {
    return undefined;
  }
}

function unknownMethod(hub: HubDescriptor, method: string): HublineError {
  const candidates = [...hub.methods.values()].map(({ signature }) => signature).join(', ') || 'none';
  return hubError('HUB_UNKNOWN_METHOD', { hub: hub.name, method, candidates });
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> & { return?(): unknown } {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
