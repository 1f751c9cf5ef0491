import { hubError } from '../errors.js';
import type { HubDescriptor } from '../hubs/hub-descriptor.js';
import { AuthorizeModule } from './authorize-module.js';
import { composeResult, composeVoid, type Chain } from './compose.js';
import type { HubPipelineModule } from './hub-pipeline-module.js';
import { inspectPipeline, type PipelineInspection } from './inspection.js';
import type { Outcome } from './outcome.js';
import { ModuleList, type ModuleReference } from './module-list.js';
import { RejoiningGroupsModule } from './rejoining-groups-module.js';
import type {
  AuthorizeConnectContext,
  ConnectContext,
  DisconnectContext,
  InvokeContext,
  ReconnectContext,
  RejoiningGroupsContext,
  SendContext,
} from './stage-contexts.js';

/** What every stage ends in. */
export interface InnermostStages {
  readonly authorizeConnect: Chain<AuthorizeConnectContext, boolean>;
  readonly connect: Chain<ConnectContext>;
  readonly rejoiningGroups: Chain<RejoiningGroupsContext, readonly string[]>;
  readonly reconnect: Chain<ReconnectContext>;
  readonly invoke: Chain<InvokeContext, Outcome>;
  readonly send: Chain<SendContext, 'sent' | 'dropped'>;
  readonly disconnect: Chain<DisconnectContext>;
}

/** The composed chains. Every hub and method has the same ones for now, so each is made once. */
export type PipelineChains = InnermostStages;

/**
 * The server's pipeline modules, in their order. It can be changed until the server starts.
 *
 * @example
 * ```ts
 * import { HubServer, RejoiningGroupsModule } from '@hubline/core';
 *
 * const server = new HubServer({ hubs: [] });
 * server.pipeline.add({ name: 'timing', invoke: (context, next) => next() });
 * server.pipeline.replace(RejoiningGroupsModule, {
 *   name: 'nobody-rejoins',
 *   rejoiningGroups: () => [],
 * });
 * process.stdout.write(`${String(server.pipeline.inspect())}\n`);
 * ```
 */
export class HubPipeline {
  private readonly modules = new ModuleList([new AuthorizeModule(), new RejoiningGroupsModule()]);
  private chains: PipelineChains | undefined;

  constructor(private readonly hubs: () => Iterable<HubDescriptor>) {}

  /**
   * Adds modules behind those that are there; the first one added is the outermost.
   *
   * Throws `HUB_PIPELINE_FROZEN`, `HUB_MODULE_NAME_INVALID`, `HUB_MODULE_NAME_TAKEN`, `HUB_MODULE_EMPTY` or
   * `HUB_MODULE_STAGE_INVALID`.
   */
  add(...modules: readonly HubPipelineModule[]): this {
    this.checkNotFrozen();
    for (const module of modules) this.modules.add(module);
    return this;
  }

  /** Puts a module in the place of another, also of a built-in one. Throws as `add`, and `HUB_MODULE_UNKNOWN`. */
  replace(reference: ModuleReference, module: HubPipelineModule): this {
    this.checkNotFrozen();
    this.modules.replace(reference, module);
    return this;
  }

  /** Whether there is a module of this name or class. */
  has(reference: ModuleReference): boolean {
    return this.modules.has(reference);
  }

  /** The pipeline as it is, or will be, composed. */
  inspect(): PipelineInspection {
    return inspectPipeline(this.hubs(), this.modules.all(), (module) => this.modules.isBuiltIn(module));
  }

  /** Composes the chains around the innermost functions, once; the modules are frozen from here on. */
  compose(innermost: InnermostStages): PipelineChains {
    const modules = this.modules.all();
    this.chains = {
      authorizeConnect: composeResult(modules, 'authorizeConnect', innermost.authorizeConnect),
      connect: composeVoid(modules, 'connect', innermost.connect),
      rejoiningGroups: composeResult(modules, 'rejoiningGroups', innermost.rejoiningGroups),
      reconnect: composeVoid(modules, 'reconnect', innermost.reconnect),
      invoke: composeResult(modules, 'invoke', innermost.invoke),
      send: composeResult(modules, 'send', innermost.send),
      disconnect: composeVoid(modules, 'disconnect', innermost.disconnect),
    };
    return this.chains;
  }

  private checkNotFrozen(): void {
    if (this.chains !== undefined) throw hubError('HUB_PIPELINE_FROZEN');
  }
}
