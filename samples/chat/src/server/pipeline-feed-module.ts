import {
  HubException,
  type AuthorizeConnectContext,
  type ConnectContext,
  type ConnectionEvent,
  type DisconnectContext,
  type HubHandle,
  type HubPipelineModule,
  type InvokeContext,
  type Next,
  type Outcome,
  type PipelineInspection,
  type ReconnectContext,
  type RejoiningGroupsContext,
  type SendContext,
} from '@hubline/core';
import type { ChatClient, PipelineEvent } from './chat-contract.js';

type Sends = PipelineEvent['sends'][number][];
type Details = Partial<Pick<PipelineEvent, 'groups' | 'resume' | 'reason'>>;
type Watched = AuthorizeConnectContext | ConnectionEvent;

/** What the module sends with; it must not watch its own sends. */
const ownMethod = 'pipeline' satisfies keyof ChatClient;
const maxPages = 200;
const maxHeld = 20;

/**
 * Stands first in the chain, sees every event go in and come out, and shows it to the page that it concerns. What
 * happens while that page has no connection to be told on is held until it has one.
 */
export class PipelineFeedModule implements HubPipelineModule {
  readonly name = 'pipeline-feed';
  private readonly sends = new WeakMap<object, Sends>();
  private readonly held = new Map<string, PipelineEvent[]>();
  private chains: PipelineInspection['chains'] | undefined;

  constructor(
    private readonly inspect: () => PipelineInspection,
    private readonly chat: () => HubHandle<ChatClient>,
  ) {}

  async authorizeConnect(context: AuthorizeConnectContext, next: Next<boolean>): Promise<boolean> {
    const watch = this.begin(context, 'authorizeConnect', 'allow');
    return this.hold(context, watch, async () => {
      const allowed = await next();
      return [allowed, {}, allowed ? undefined : 'not signed in'] as const;
    });
  }

  async connect(context: ConnectContext, next: Next): Promise<void> {
    const watch = this.begin(context, 'connect', 'onConnected');
    await this.hold(context, watch, async () => [await next(), {}] as const);
    this.release(context);
  }

  async rejoiningGroups(context: RejoiningGroupsContext, next: Next<readonly string[]>): Promise<readonly string[]> {
    const watch = this.begin(context, 'rejoiningGroups', '');
    return this.hold(context, watch, async () => {
      const given = await next();
      return [given, { groups: { claimed: context.claimed, given } }] as const;
    });
  }

  async reconnect(context: ReconnectContext, next: Next): Promise<void> {
    const { refused, ...resume } = context.resume;
    const reasons = [...refused].map(([group, reason]) => ({ group, reason }));
    const watch = this.begin(context, 'reconnect', 'onReconnected');
    await this.hold(context, watch, async () => [await next(), { resume: { ...resume, refused: reasons } }] as const);
    this.release(context);
  }

  async disconnect(context: DisconnectContext, next: Next): Promise<void> {
    const watch = this.begin(context, 'disconnect', 'onDisconnected');
    await this.hold(context, watch, async () => [await next(), { reason: context.reason }] as const);
  }

  async invoke(context: InvokeContext, next: Next<Outcome>): Promise<Outcome> {
    const { hub, method, methodName } = context;
    const watch = this.begin(context, 'invoke', method === undefined ? methodName : `${hub.name}.${method.name}`);
    const tell = (event: PipelineEvent) => void this.chat().clients.client(context.connectionId).pipeline([event]);
    try {
      const outcome = await next();
      tell(watch({}));
      return outcome;
    } catch (error) {
      tell(watch({}, reasonOf(error)));
      throw error;
    }
  }

  send(context: SendContext, next: Next<'sent' | 'dropped'>): ReturnType<typeof next> {
    if (context.method === ownMethod) return next();
    const { call, hub, target, method } = context;
    const to = target.kind === 'all' ? 'everybody' : `${target.kind.slice(0, -1)} ${target.names.join(', ')}`;
    const what = `${method} → ${to}`;
    if (call !== undefined) this.sends.get(call)?.push({ what, modules: this.modulesOf(hub.name, 'send') });
    else if (target.kind === 'users')
      void this.chat()
        .clients.users(target.names)
        .pipeline([this.begin(context, 'send', what)({})]);
    return next();
  }

  /** Answers a function that describes the event when it is over. */
  private begin(
    context: Watched | SendContext,
    stage: PipelineEvent['stage'],
    innermost: string,
  ): (details: Details, refusal?: string) => PipelineEvent {
    const at = context.clock.now();
    const began = performance.now();
    const sends: Sends = [];
    this.sends.set(context, sends);
    const modules = this.modulesOf(context.hub.name, stage);
    return (details, refusal) => {
      const tookMs = performance.now() - began;
      return { stage, modules, innermost, at, tookMs, sends, refusal, ...details };
    };
  }

  /** Every method of a hub has the same chain. */
  private modulesOf(hub: string, stage: string): PipelineEvent['modules'] {
    this.chains ??= this.inspect().chains;
    return this.chains.find((chain) => chain.hub === hub && chain.stage === stage)?.modules ?? [];
  }

  private async hold<Result>(
    context: Watched,
    watch: ReturnType<PipelineFeedModule['begin']>,
    run: () => Promise<readonly [result: Result, details: Details, refusal?: string | undefined]>,
  ): Promise<Result> {
    try {
      const [result, details, refusal] = await run();
      this.keep(context, watch(details, refusal));
      return result;
    } catch (error) {
      this.keep(context, watch({}, reasonOf(error)));
      throw error;
    }
  }

  private keep(context: Watched, event: PipelineEvent): void {
    const page = pageOf(context);
    const events = [...(this.held.get(page) ?? []), event].slice(-maxHeld);
    this.held.delete(page);
    this.held.set(page, events);
    // Pages that were closed never come to fetch theirs.
    const [oldest] = this.held.keys();
    if (this.held.size > maxPages && oldest !== undefined) this.held.delete(oldest);
  }

  private release(context: ConnectionEvent): void {
    const page = pageOf(context);
    const events = this.held.get(page) ?? [];
    this.held.delete(page);
    void this.chat().clients.client(context.connectionId).pipeline(events);
  }
}

/** One page may have several connections, one after the other: the clients pass on which page they are on. */
function pageOf({ request, user }: Watched): string {
  return JSON.stringify([user.id, request.query.get('page')]);
}

/** A page is told what its client is told. */
function reasonOf(error: unknown): string {
  return HubException.is(error) ? error.message : 'An error that is for the log alone.';
}
