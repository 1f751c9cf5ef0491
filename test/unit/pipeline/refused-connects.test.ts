import { Hub, hub, HubException, type HubPipelineModule } from '@hubline/core';
import { failure, testServer } from '@hubline/core/testing';
import { expect } from 'chai';

const told: string[] = [];

@hub('club')
class ClubHub extends Hub {
  override onReconnected(): void {
    told.push('reconnected');
  }
  override onDisconnected(reason: string): void {
    told.push(reason);
  }
}

describe('authorizeConnect that throws for the client', () => {
  beforeEach(() => told.splice(0));

  for (const user of [undefined, 'ann'])
    it(`refuses ${user ?? 'somebody anonymous'} with 403 and what it said`, async () => {
      const full: HubPipelineModule = {
        name: 'full',
        authorizeConnect() {
          throw new HubException('The club is full.');
        },
      };
      await using app = testServer({ hubs: [ClubHub], modules: [full] });
      const refused = await failure(app.connect(ClubHub, { user }));
      expect(refused).to.include({ status: 403, message: '403: The club is full.' });
      expect(app.log.filter(({ level }) => level === 'error')).to.deep.equal([]);
    });

  it('refuses one resume, and not the connection', async () => {
    let isFull = false;
    const sometimesFull: HubPipelineModule = {
      name: 'sometimes-full',
      authorizeConnect(_context, next) {
        if (isFull) throw new HubException('The club is full.');
        return next();
      },
    };
    await using app = testServer({ hubs: [ClubHub], modules: [sometimesFull] });
    const ann = await app.connect(ClubHub);
    await ann.drop();
    isFull = true;
    expect(await failure(ann.resume())).to.include({ status: 403, message: '403: The club is full.' });
    isFull = false;
    await ann.resume();
    expect(told).to.deep.equal(['reconnected']);
  });

  it('is not what false is: who is allowed no hub any more has ended', async () => {
    let isMember = true;
    const members: HubPipelineModule = {
      name: 'members',
      authorizeConnect: async (_context, next) => isMember && (await next()),
    };
    await using app = testServer({ hubs: [ClubHub], modules: [members] });
    const ann = await app.connect(ClubHub);
    await ann.drop();
    isMember = false;
    expect(await failure(ann.resume())).to.include({ status: 401 });
    await app.clock.advance(0);
    expect(told).to.deep.equal(['auth']);
    expect(app.connectionCount).to.equal(0);
  });
});
