import { Hub, hub, hubMethod } from '@hubline/core';
import { failure, testServer } from '@hubline/core/testing';
import { expect } from 'chai';

@hub('rooms')
class RoomsHub extends Hub {
  @hubMethod() joinUnawaited(room: string): void {
    void this.groups.add(room);
  }
  @hubMethod() async join(room: string): Promise<void> {
    await this.groups.add(room);
  }
}

describe('a change of groups that fails', () => {
  it('is logged once where nobody waited for it, and is no unhandled rejection', async () => {
    await using app = testServer({ hubs: [RoomsHub] });
    const ann = await app.connect(RoomsHub);
    await ann.invoke('joinUnawaited', '');
    await app.clock.advance(0);
    const warnings = app.log.filter(({ level }) => level === 'warn');
    expect(warnings).to.have.length(1);
    expect(warnings[0]?.details).to.have.nested.property('error.code', 'HUB_GROUP_CHANGE_FAILED');
    expect(warnings[0]?.details).to.have.nested.property('error.cause.code', 'HUB_GROUP_NAME_INVALID');
  });

  it('is the error of the call that waited for it, and is not logged beside', async () => {
    await using app = testServer({ hubs: [RoomsHub] });
    const ann = await app.connect(RoomsHub);
    await failure(ann.invoke('join', ''));
    await app.clock.advance(0);
    expect(app.log.filter(({ level }) => level === 'warn')).to.deep.equal([]);
  });
});
