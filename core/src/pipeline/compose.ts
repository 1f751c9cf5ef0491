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
    let given: Awaitable<Result> | undefined;
    const next = (): Awaitable<Result> => {
      if (called) throw hubError('HUB_NEXT_CALLED_TWICE', detail);
      called = true;
      return (given = inner(context));
    };
    const result = run(context, next);
    // Handed on as it came: it has been checked further in, and a check here would cost a promise.
    if (given !== undefined && result === given) return result;
    return isPromise<Result>(result) ? result.then(check) : check(result);
  };
}

function voidLink<Context>(run: Stage<Context>, inner: Chain<Context>, detail: LinkDetail): Chain<Context> {
  return (context) => {
    let state: 'before' | 'inside' | 'after' = 'before';
    let given: Promise<void> | undefined;
    const next = (): Awaitable<void> => {
      if (state !== 'before') throw hubError('HUB_NEXT_CALLED_TWICE', detail);
      state = 'inside';
      const inside = inner(context);
      if (!isPromise<void>(inside)) {
        state = 'after';
        return;
      }
      return (given = inside.then(
        () => {
          state = 'after';
        },
        (error: unknown) => {
          state = 'after';
          throw error;
        },
      ));
    };
    const check = (): void => {
      if (state === 'before') throw hubError('HUB_NEXT_NOT_CALLED', detail);
      if (state === 'inside') {
        // Nobody waits for it any more, and its failure must not be an unhandled rejection.
        given?.then(undefined, () => undefined);
        throw hubError('HUB_NEXT_NOT_AWAITED', detail);
      }
    };
    const result = run(context, next);
    if (isPromise<void>(result)) return result === given ? result : result.then(check);
    return check();
  };
}
