import { attempt, type Awaitable } from '../awaitable.js';
import type { Clock } from '../clock.js';
import { hubError } from '../errors.js';
import type { StageName } from '../pipeline/hub-pipeline-module.js';

/** The stage of a hub that has so long. */
export interface Deadline {
  readonly stage: StageName;
  readonly hub: string;
  readonly deadlineMs: number;
}

/** Gives what `work` gives, or rejects with `HUB_STAGE_DEADLINE`; `work` goes on, but nothing comes of it. */
export function withDeadline<T>(clock: Clock, deadline: Deadline, work: () => Awaitable<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(deadline.deadlineMs, () => reject(hubError('HUB_STAGE_DEADLINE', { ...deadline })));
    attempt(work).then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: Error) => {
        cancel();
        reject(error);
      },
    );
  });
}
