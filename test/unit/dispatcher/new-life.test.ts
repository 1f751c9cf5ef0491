import { Hub, hub } from '@hubline/core';
import { testServer } from '@hubline/core/testing';
import { expect } from 'chai';

describe('a new life under an old id', () => {
  it('is not joined to a group by the last event of the old one', async () => {
    const answers: string[] = [];
    const told: string[] = [];
    let release: (() => void) | undefined;
    @hub('late')
    class LateHub extends Hub {
      override onReconnected(): void {
        told.push('reconnected');
      }
      override async onDisconnected(): Promise<void> {
        await new Promise<void>((resolve) => (release = resolve));
        answers.push(await this.groups.add('room'), await this.groups.remove('room'));
      }
    }
    await using app = testServer({ hubs: [LateHub] });
    const ann = await app.connect(LateHub);
    await ann.expire();
    await ann.resume();
    expect(told).to.deep.equal(['reconnected']);
    release?.();
    await app.clock.advance(0);
    expect(answers).to.deep.equal(['gone', 'gone']);
    expect(ann.groupsToken).to.equal(undefined);
    release = undefined;
  });

  it('is not confirmed by a late start: it runs reconnect, and no connect', async () => {
    const told: string[] = [];
    let release: (() => void) | undefined;
    @hub('slow')
    class SlowHub extends Hub {
      override onConnected(): void {
        told.push('connected');
      }
      override async onReconnected(): Promise<void> {
        told.push('reconnected');
        await new Promise<void>((resolve) => (release = resolve));
      }
    }
    await using app = testServer({ hubs: [SlowHub] });
    const ann = await app.connect(SlowHub);
    await ann.expire();
    const resumed = ann.resume();
    while (release === undefined) await app.clock.advance(0);
    const confirmed = ann.confirm();
    await app.clock.advance(0);
    release();
    await Promise.all([resumed, confirmed]);
    expect(told).to.deep.equal(['connected', 'reconnected']);
  });
});
