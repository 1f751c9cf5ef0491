import { isPromise, type Awaitable } from '../awaitable.js';
import { hubError } from '../errors.js';
import type { HubPipelineModule, Stage, StageName } from './hub-pipeline-module.js';

/** A composed chain, or its innermost function. */
export type Chain<Context, Result = void> = (context: Context) => Awaitable<Result>;

interface LinkDetail {
  readonly module: string;
  readonly stage: StageName;
}

/** The chain of a stage that has a result. With no module that declares the stage it is the innermost function. */
export function composeResult<Context, Result>(
  modules: readonly HubPipelineModule[],
  stage: StageName,
  innermost: Chain<Context, Result>,
): Chain<Context, Result> {
  return fold(modules, stage, innermost, resultLink<Context, Result>);
}

/** The chain of a stage without result. */
export function composeVoid<Context>(
  modules: readonly HubPipelineModule[],
  stage: StageName,
  innermost: Chain<Context>,
): Chain<Context> {
  return fold(modules, stage, innermost, voidLink<Context>);
}

function fold<Context, Result>(
  modules: readonly HubPipelineModule[],
  stage: StageName,
  innermost: Chain<Context, Result>,
  link: (run: Stage<Context, Result>, inner: Chain<Context, Result>, detail: LinkDetail) => Chain<Context, Result>,
): Chain<Context, Result> {
  return modules.reduceRight<Chain<Context, Result>>((inner, module) => {
    const run = module[stage] as Stage<Context, Result> | undefined;
    if (run === undefined) return inner;
    return link(run.bind(module), inner, { module: module.name, stage });
  }, innermost);
}

function resultLink<Context, Result>(
  run: Stage<Context, Result>,
  inner: Chain<Context, Result>,
  detail: LinkDetail,
): Chain<Context, Result> {
  const check = (result: Result): Result => {
    if (result === undefined || typeof result === 'function') throw hubError('HUB_STAGE_RETURNED_NOTHING', detail);
    return result;
  };
  return (context) => {
    let called = false;
    let over = false;
    let given: Awaitable<Result> | undefined;
    const next = (): Awaitable<Result> => {
      if (called) throw hubError('HUB_NEXT_CALLED_TWICE', detail);
      called = true;
      given = inner(context);
      if (over) quiet(given);
      return given;
    };
    let result: Awaitable<Result>;
    try {
      result = run(context, next);
    } catch (error) {
      quiet(given);
      throw error;
    }
    over = true;
    // Handed on as it came: it has been checked further in, and a check here would cost a promise.
    if (given !== undefined && result === given) return result;
    quiet(given);
    return isPromise<Result>(result) ? result.then(check) : check(result);
  };
}

/** A module that goes on without what `next` gave need not look at it; its failure is no unhandled rejection. */
function quiet(given: unknown): void {
  if (isPromise(given)) given.then(undefined, () => undefined);
}

function voidLink<Context>(run: Stage<Context>, inner: Chain<Context>, detail: LinkDetail): Chain<Context> {
  return (context) => {
    let state: 'before' | 'inside' | 'after' | 'over' = 'before';
    let given: Promise<void> | undefined;
    const next = (): Awaitable<void> => {
      // Too late: the stage has failed, and what it should have let through must not happen after that.
      if (state === 'over') return;
      if (state !== 'before') throw hubError('HUB_NEXT_CALLED_TWICE', detail);
      state = 'after';
      const inside = inner(context);
      if (!isPromise<void>(inside)) return;
      state = 'inside';
      given = inside.then(
        () => {
          state = 'after';
        },
        (error: unknown) => {
          state = 'after';
          throw error;
        },
      );
      quiet(given);
      return given;
    };
    const check = (): void => {
      if (state === 'before') {
        state = 'over';
        throw hubError('HUB_NEXT_NOT_CALLED', detail);
      }
      if (state === 'inside') throw hubError('HUB_NEXT_NOT_AWAITED', detail);
    };
    const refuse = (error: unknown): never => {
      if (state === 'before') state = 'over';
      throw error;
    };
    let result: Awaitable<void>;
    try {
      result = run(context, next);
    } catch (error) {
      return refuse(error);
    }
    if (isPromise<void>(result)) return result === given ? result : result.then(check, refuse);
    return check();
  };
}
