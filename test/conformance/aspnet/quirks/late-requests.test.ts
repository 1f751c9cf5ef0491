import { Hub, hub, type HubPipelineModule } from '@hubline/core';
import { expect } from 'chai';
import { refusal, setUp } from './set-up.js';

/** A module whose `authorizeConnect` lets connections through when the test says so, each on its own. */
function gate(): HubPipelineModule & { readonly waiting: (() => void)[]; isOpen: boolean } {
  const waiting: (() => void)[] = [];
  return {
    name: 'gate',
    waiting,
    isOpen: true,
    async authorizeConnect(_context, next) {
      if (!this.isOpen) await new Promise<void>((resolve) => waiting.push(resolve));
      return next();
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('quirks of the classic wire: requests that are late', () => {
  it('an older connect that is slower does not take the connection from a newer one', async () => {
    const slow = gate();
    const { wire } = await setUp({}, { modules: [slow] });
    await wire.negotiate();
    slow.isOpen = false;
    const left = wire.connect().catch((error: unknown) => error);
    await until(() => slow.waiting.length === 1);
    slow.isOpen = true;
    const socket = await wire.connect();
    await socket.frame(1);
    expect((await wire.start()).status).to.equal(200);
    slow.waiting[0]?.();
    expect(await refusal(left.then((error) => Promise.reject(error as Error)))).to.equal(409);
    socket.send({ H: 'basics', M: 'nothing', A: [], I: 1 });
    await socket.answer(1);
  });

  it('what onConnected sends reaches a client below protocol 1.4', async () => {
    @hub('greeter')
    class GreeterHub extends Hub<{ welcome(text: string): void }> {
      override onConnected(): Promise<void> {
        return this.clients.caller.welcome('hi');
      }
    }
    const { wire } = await setUp({ protocol: '1.3', hubs: ['greeter'] }, { hubs: [GreeterHub] });
    await wire.negotiate();
    const socket = await wire.connect();
    await socket.message('hi');
  });

  it('two connects with other hubs: the messages are those of hubs that had their connect', async () => {
    const told: string[] = [];
    const slow = gate();
    @hub('one')
    class OneHub extends Hub {
      override onConnected(): void {
        told.push('one');
      }
    }
    @hub('two')
    class TwoHub extends Hub<{ secret(text: string): void }> {
      override onConnected(): void {
        told.push('two');
      }
    }
    const { wire, server } = await setUp({ hubs: ['one'] }, { hubs: [OneHub, TwoHub], modules: [slow] });
    await wire.negotiate();
    slow.isOpen = false;
    const first = wire.connect().catch((error: unknown) => error);
    const second = wire.connect({ connectionData: JSON.stringify([{ name: 'two' }]) });
    await until(() => slow.waiting.length === 2);
    slow.isOpen = true;
    for (const letThrough of slow.waiting) letThrough();
    const socket = await second;
    await first;
    await socket.frame(1);
    expect((await wire.start()).status).to.equal(200);
    await server.hub(TwoHub).clients.all.secret('x');
    await socket.message('x');
    expect(told).to.deep.equal(['two']);
  });
});
