import { factoryActivator, Hub, hub, hubMethod, type HubActivator, type HubScope, type Logger } from '@hubline/core';
import { failure, testServer } from '@hubline/core/testing';
import { expect } from 'chai';

interface RoomClient {
  said(text: string): void;
}

const instances: unknown[] = [];

@hub('room')
class RoomHub extends Hub<RoomClient> {
  constructor() {
    super();
    instances.push(this);
  }
  override onDisconnected(): void {
    // Overridden so that an instance is made for it.
  }
  @hubMethod() say(text: string): Promise<void> {
    return this.clients.caller.said(text);
  }
  @hubMethod() fail(): void {
    throw new Error('It broke.');
  }
  @hubMethod() sameAs(index: number): boolean {
    return instances[index] === this;
  }
}

/** An activator that notes what is made and released, and may fail to release. */
function notingActivator(failing?: 'throws' | 'rejects'): HubActivator & { readonly notes: string[] } {
  const notes: string[] = [];
  let count = 0;
  return {
    notes,
    createScope(event): HubScope {
      const name = `scope ${++count} of ${event.user?.id ?? 'nobody'}`;
      notes.push(`${name} made`);
      return {
        resolve: (type) => new type(),
        dispose() {
          notes.push(`${name} disposed`);
          if (failing === 'throws') throw new Error('It cannot be released.');
          return failing === 'rejects' ? Promise.reject(new Error('It cannot be released.')) : undefined;
        },
      };
    },
  };
}

describe('the activation of hubs', () => {
  beforeEach(() => instances.splice(0));

  it('makes a new instance for each event, and none for an event that the hub does not handle', async () => {
    await using app = testServer({ hubs: [RoomHub] });
    const ann = await app.connect(RoomHub);
    expect(instances).to.have.length(0);
    await ann.invoke('say', 'hello');
    expect(await ann.invoke('sameAs', 0)).to.equal(false);
    expect(instances).to.have.length(2);
    await ann.stop();
    expect(instances).to.have.length(3);
  });

  it('releases what an event used once, on success, failure and disconnect', async () => {
    const activator = notingActivator();
    await using app = testServer({ hubs: [RoomHub], activator });
    const ann = await app.connect(RoomHub, { user: 'ann' });
    await ann.invoke('say', 'hello');
    await failure(ann.invoke('fail'));
    await ann.stop();
    expect(activator.notes).to.deep.equal([
      'scope 1 of ann made',
      'scope 1 of ann disposed',
      'scope 2 of ann made',
      'scope 2 of ann disposed',
      'scope 3 of ann made',
      'scope 3 of ann disposed',
    ]);
  });

  it('does not release before the sends that the event has begun', async () => {
    const activator = notingActivator();
    let release: (() => void) | undefined;
    const slow = {
      name: 'slow',
      async send(_context: unknown, next: () => 'sent' | 'dropped' | Promise<'sent' | 'dropped'>) {
        await new Promise<void>((resolve) => (release = resolve));
        return next();
      },
    };
    await using app = testServer({ hubs: [RoomHub], activator, modules: [slow] });
    const ann = await app.connect(RoomHub, { user: 'ann' });
    const call = ann.invoke('say', 'hello');
    while (release === undefined) await app.clock.advance(0);
    expect(activator.notes).to.deep.equal(['scope 1 of ann made']);
    release();
    await call;
    expect(await ann.next('said')).to.deep.equal(['hello']);
    expect(activator.notes).to.deep.equal(['scope 1 of ann made', 'scope 1 of ann disposed']);
  });

  for (const failing of ['throws', 'rejects'] as const)
    it(`logs a release that ${failing}, and the call has its answer all the same`, async () => {
      const logged: string[] = [];
      const note: Logger['error'] = (details) => logged.push((details as { error: { code: string } }).error.code);
      const ignore = (): void => undefined;
      const logger = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: note, fatal: note };
      await using app = testServer({ hubs: [RoomHub], activator: notingActivator(failing), logger });
      const ann = await app.connect(RoomHub);
      expect(await ann.invoke('sameAs', 0)).to.equal(true);
      expect(logged).to.deep.equal(['HUB_RELEASE_FAILED']);
    });

  it('takes an instance that is promised', async () => {
    await using app = testServer({
      hubs: [RoomHub],
      activator: factoryActivator([RoomHub, () => Promise.resolve(new RoomHub())]),
    });
    const ann = await app.connect(RoomHub);
    expect(await ann.invoke('sameAs', 0)).to.equal(true);
  });
});
