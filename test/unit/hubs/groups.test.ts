import { HublineError } from '@hubline/core';
import { unknownHub } from '@hubline/core/internal/hubs/hub-descriptor.js';
import { CallerChangerGroups, ChangerGroups } from '@hubline/core/internal/hubs/hub-groups.js';
import { DescribedHubHandle } from '@hubline/core/internal/hubs/hub-handle.js';
import { expect } from 'chai';
import { fakeContext, NotingChanger, NotingSender } from './fake-call.js';

const hub = unknownHub('chat');

/** The code with which a promise is rejected. What throws at once fails the test. */
async function rejection(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!HublineError.is(error)) throw new Error(`no coded error, but ${String(error)}`);
  return error.code;
}

describe('the groups of a caller', () => {
  it('are the groups of the caller where no connection is named', async () => {
    const changer = new NotingChanger();
    const groups = new CallerChangerGroups(hub, changer, fakeContext('me'));
    expect(await groups.add('lobby')).to.equal('joined');
    expect(await groups.remove('lobby', {})).to.equal('left');
    expect(changer.changes).to.deep.equal(['chat: me joins lobby', 'chat: me leaves lobby']);
  });

  it('are those of the connection that is named', async () => {
    const changer = new NotingChanger();
    const groups = new CallerChangerGroups(hub, changer, fakeContext('me'));
    expect(await groups.add('lobby', { connectionId: 'gone' })).to.equal('gone');
    expect(await groups.remove('lobby', { connectionId: 'you' })).to.equal('left');
    expect(changer.changes).to.deep.equal(['chat: gone joins lobby', 'chat: you leaves lobby']);
  });

  it('a connection that was meant to be named is not taken for the caller', async () => {
    const changer = new NotingChanger();
    const groups = new CallerChangerGroups(hub, changer, fakeContext('me'));
    const missing = { connectionId: undefined } as unknown as { connectionId: string };
    expect(await rejection(groups.add('lobby', missing))).to.equal('HUB_TARGET_INVALID');
    expect(await rejection(groups.remove('lobby', { connectionId: '' }))).to.equal('HUB_TARGET_INVALID');
    expect(changer.changes).to.deep.equal([]);
  });

  for (const name of ['', undefined, null, 7]) {
    it(`the name ${JSON.stringify(name)} rejects`, async () => {
      const changer = new NotingChanger();
      const groups = new CallerChangerGroups(hub, changer, fakeContext('me'));
      expect(await rejection(groups.add(name as string))).to.equal('HUB_GROUP_NAME_INVALID');
      expect(await rejection(groups.remove(name as string))).to.equal('HUB_GROUP_NAME_INVALID');
      expect(changer.changes).to.deep.equal([]);
    });
  }

  it('what the changer throws at once rejects', async () => {
    const fails = (): never => {
      throw new HublineError('HUB_TEST', 'no');
    };
    const groups = new CallerChangerGroups(hub, { join: fails, leave: fails, unseen: fails }, fakeContext('me'));
    expect(await rejection(groups.add('lobby'))).to.equal('HUB_TEST');
  });
});

describe('the groups of a hub', () => {
  it('are changed for the connection that is named', async () => {
    const changer = new NotingChanger();
    const groups = new ChangerGroups(hub, changer);
    expect(await groups.add('lobby', { connectionId: 'you' })).to.equal('joined');
    expect(await groups.remove('lobby', { connectionId: 'gone' })).to.equal('gone');
    expect(changer.changes).to.deep.equal(['chat: you joins lobby', 'chat: gone leaves lobby']);
  });

  it('reject without a connection, or with a name that is none', async () => {
    const groups = new ChangerGroups(hub, new NotingChanger());
    expect(await rejection(groups.add('lobby', undefined as never))).to.equal('HUB_TARGET_INVALID');
    expect(await rejection(groups.remove('lobby', { connectionId: '' }))).to.equal('HUB_TARGET_INVALID');
    expect(await rejection(groups.add('', { connectionId: 'you' }))).to.equal('HUB_GROUP_NAME_INVALID');
  });
});

describe('a hub handle', () => {
  it('has the clients and the groups of its hub', async () => {
    const sender = new NotingSender();
    const changer = new NotingChanger();
    const handle = new DescribedHubHandle<{ message(text: string): void }>(hub, sender, changer);
    await handle.groups.add('lobby', { connectionId: 'you' });
    await handle.clients.group('lobby').message('hello');
    expect(changer.changes).to.deep.equal(['chat: you joins lobby']);
    expect(sender.sent[0]).to.include({ hub, method: 'message', call: undefined });
  });
});
