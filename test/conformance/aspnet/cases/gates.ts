import type { HubPipelineModule } from '@hubline/core';
import { Recorder } from '../../../support/recorder.js';

/** A module that holds the answers of calls to `gated` back until the test opens the gate of that name. */
export class Gates implements HubPipelineModule {
  readonly name = 'gates';
  /** The names whose call has come. */
  readonly entered = new Recorder<string>('the gates that were reached');
  /** The names whose call has completed on the server. */
  readonly passed = new Recorder<string>('the gates that were passed');
  private readonly waiting = new Map<string, () => void>();

  invoke: HubPipelineModule['invoke'] = async (context, next) => {
    if (context.methodName !== 'gated') return next();
    const name = String(context.arguments[0]);
    const opened = new Promise<void>((resolve) => this.waiting.set(name, resolve));
    this.entered.add(name);
    await opened;
    const answer = await next();
    this.passed.add(name);
    return answer;
  };

  open(name: string): void {
    this.waiting.get(name)?.();
  }
}
