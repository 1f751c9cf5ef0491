import { HubException, type HubPipelineModule, type InvokeContext, type Next, type Outcome } from '@hubline/core';

const callsAtOnce = 12;
const windowMs = 10_000;

/** Refuses the calls of a connection that makes too many. */
export class RateLimitModule implements HubPipelineModule {
  readonly name = 'rate-limit';

  invoke(context: InvokeContext, next: Next<Outcome>): ReturnType<Next<Outcome>> {
    const now = context.clock.now();
    const earlier = (context.items.get(this) ?? []) as readonly number[];
    const recent = earlier.filter((at) => now - at < windowMs);
    context.items.set(this, [...recent, now].slice(-callsAtOnce));
    if (recent.length >= callsAtOnce) throw new HubException('That was a lot at once. Wait a few seconds.');
    return next();
  }
}
