import { hubError } from '../errors.js';
import { stageNames, type HubPipelineModule } from './hub-pipeline-module.js';

/** A module, by its name or by its class. */
export type ModuleReference = string | (abstract new (...args: never[]) => HubPipelineModule);

/** Modules in their order: those that were added, then the built-in ones. */
export class ModuleList {
  private readonly added: HubPipelineModule[] = [];
  private readonly tail: HubPipelineModule[];

  constructor(private readonly builtIn: readonly HubPipelineModule[]) {
    this.tail = [...builtIn];
  }

  /** All of them, outermost first. */
  all(): readonly HubPipelineModule[] {
    return [...this.added, ...this.tail];
  }

  /** Whether it came with the package; one that was put in its place did not. */
  isBuiltIn(module: HubPipelineModule): boolean {
    return this.builtIn.includes(module);
  }

  has(reference: ModuleReference): boolean {
    return this.all().some((module) => matches(module, reference));
  }

  /** Throws `HUB_MODULE_NAME_INVALID`, `HUB_MODULE_NAME_TAKEN`, `HUB_MODULE_EMPTY`, `HUB_MODULE_STAGE_INVALID`. */
  add(module: HubPipelineModule): void {
    checkModule(module);
    this.checkName(module, undefined);
    this.added.push(module);
  }

  /** Puts a module in the place of another. Throws as `add`, and `HUB_MODULE_UNKNOWN`. */
  replace(reference: ModuleReference, module: HubPipelineModule): void {
    checkModule(module);
    for (const list of [this.added, this.tail]) {
      const index = list.findIndex((candidate) => matches(candidate, reference));
      if (index < 0) continue;
      this.checkName(module, list[index]);
      list[index] = module;
      return;
    }
    throw hubError('HUB_MODULE_UNKNOWN', {
      module: typeof reference === 'string' ? reference : reference.name,
      known: this.all()
        .map(({ name }) => name)
        .join(', '),
    });
  }

  private checkName(module: HubPipelineModule, replaced: HubPipelineModule | undefined): void {
    const other = this.all().find((candidate) => candidate !== replaced && candidate.name === module.name);
    if (other !== undefined) throw hubError('HUB_MODULE_NAME_TAKEN', { module: module.name });
  }
}

function matches(module: HubPipelineModule, reference: ModuleReference): boolean {
  return typeof reference === 'string' ? module.name === reference : module instanceof reference;
}

function checkModule(module: HubPipelineModule): void {
  if (typeof module?.name !== 'string' || module.name === '') throw hubError('HUB_MODULE_NAME_INVALID');
  for (const stage of stageNames) {
    const run: unknown = module[stage];
    if (run !== undefined && typeof run !== 'function')
      throw hubError('HUB_MODULE_STAGE_INVALID', { module: module.name, stage });
  }
  if (stageNames.every((stage) => module[stage] === undefined))
    throw hubError('HUB_MODULE_EMPTY', { module: module.name, stages: stageNames.join(', ') });
}
