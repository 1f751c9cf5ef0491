import { inspect } from 'node:util';
import type { HubDescriptor } from '../hubs/hub-descriptor.js';
import { stageNames, type HubPipelineModule, type StageName } from './hub-pipeline-module.js';

/** One chain: which modules an event of this kind passes, outermost first. */
export interface InspectedChain {
  readonly hub: string;
  /** For `invoke`: the hub method. */
  readonly method?: string | undefined;
  readonly stage: StageName;
  readonly modules: readonly { readonly name: string; readonly builtIn: boolean }[];
}

/**
 * The pipeline as it is composed; `String(…)` and `console.log` show it as a table.
 *
 * @example
 * ```ts
 * import type { HubServer } from '@hubline/core';
 *
 * export const modulesOf = (server: HubServer, hub: string, method: string): readonly string[] =>
 *   server.pipeline
 *     .inspect()
 *     .chains.filter((chain) => chain.hub === hub && chain.method === method)
 *     .flatMap((chain) => chain.modules.map(({ name }) => name));
 * ```
 */
export class PipelineInspection {
  constructor(readonly chains: readonly InspectedChain[]) {}

  toString(): string {
    const rows = this.chains.map(({ hub, method, stage, modules }) => [
      method === undefined ? hub : `${hub}.${method}`,
      stage,
      modules.map(({ name, builtIn }) => (builtIn ? `(${name})` : name)).join(' → ') || '–',
    ]);
    const table = [['hub', 'stage', 'modules, outermost first (built-in)'], ...rows];
    const widths = [0, 1].map((column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
    return table
      .map(([hub = '', stage = '', modules = '']) =>
        `${hub.padEnd(widths[0] ?? 0)}  ${stage.padEnd(widths[1] ?? 0)}  ${modules}`.trimEnd(),
      )
      .join('\n');
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** Lists the chains of the hubs as the modules make them. */
export function inspectPipeline(
  hubs: Iterable<HubDescriptor>,
  modules: readonly HubPipelineModule[],
  isBuiltIn: (module: HubPipelineModule) => boolean,
): PipelineInspection {
  const withStage = (stage: StageName) =>
    modules
      .filter((module) => module[stage] !== undefined)
      .map((module) => ({ name: module.name, builtIn: isBuiltIn(module) }));
  const chains: InspectedChain[] = [];
  for (const hub of hubs)
    for (const stage of stageNames) {
      if (stage !== 'invoke') chains.push({ hub: hub.name, stage, modules: withStage(stage) });
      else
        for (const method of hub.methods.values())
          chains.push({ hub: hub.name, method: method.name, stage, modules: withStage(stage) });
    }
  return new PipelineInspection(chains);
}
