import { Hub, hub, hubMethod, HublineError, type Revocation } from '@hubline/core';
import { testServer } from '@hubline/core/testing';
import { expect } from 'chai';

@hub('club')
class ClubHub extends Hub {
  override async onConnected(): Promise<void> {
    await this.groups.add('vip');
  }
  @hubMethod() secret(text: string): Promise<void> {
    return (this.clients.group('vip') as unknown as { secret(text: string): Promise<void> }).secret(text);
  }
}

describe('a revocation', () => {
  it('reaches older tokens also if it was passed more than it needs', async () => {
    await using app = testServer({ hubs: [ClubHub] });
    const ann = await app.connect(ClubHub, { user: 'ann' });
    const bob = await app.connect(ClubHub, { user: 'bob' });
    await ann.expire();
    const revocation = { hub: ClubHub, group: 'vip', user: 'ann', reason: 'spam' };
    app.groups.revoke(revocation);
    await ann.resume();
    await bob.invoke('secret', 'x');
    expect(await bob.next('secret')).to.deep.equal(['x']);
    expect(ann.all('secret')).to.deep.equal([]);
  });

  for (const [what, member] of Object.entries({
    'nobody at all': {},
    'a user and a connection': { user: 'ann', connectionId: 'c' },
    'an empty user': { user: '' },
    'an id that is no text': { connectionId: 7 },
  }))
    it(`that names ${what} is refused`, async () => {
      await using app = testServer({ hubs: [ClubHub] });
      const revoke = (): void => app.groups.revoke({ hub: ClubHub, group: 'vip', ...member } as unknown as Revocation);
      expect(revoke).to.throw(HublineError).with.property('code', 'HUB_TARGET_INVALID');
    });
});

describe('the groups of a hub that is called like something every object has', () => {
  for (const name of ['constructor', '__proto__'])
    it(`are told to a client of '${name}'`, async () => {
      @hub(name)
      class OddHub extends Hub {
        override async onConnected(): Promise<void> {
          await this.groups.add('room');
        }
      }
      const claimed: (readonly string[])[] = [];
      await using app = testServer({
        hubs: [OddHub],
        modules: [
          {
            name: 'watch',
            rejoiningGroups: (context) => {
              claimed.push(context.claimed);
              return context.claimed;
            },
          },
        ],
      });
      const ann = await app.connect(OddHub);
      await app.clock.advance(0);
      expect(ann.groupsToken).to.be.a('string');
      await ann.expire();
      await ann.resume();
      expect(claimed).to.deep.equal([['room']]);
    });
});
