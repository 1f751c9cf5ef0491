import { expect } from 'chai';
import { RoomsHub } from '../cases/hubs.js';
import { setUp, goOn } from './set-up.js';

describe('quirks of the classic wire: groups', () => {
  it('the token comes before the first message of the group, and before the answer to the call that joined', async () => {
    const { wire } = await setUp();
    const socket = await wire.begin();
    socket.send({ H: 'rooms', M: 'join', A: ['a'], I: 0 });
    await socket.answer(0);
    socket.send({ H: 'rooms', M: 'say', A: ['a', 'x'], I: 1 });
    await socket.answer(1);
    const [init, token, joined, message, said] = socket.envelopes;
    expect(init).to.include({ S: 1 });
    expect(token?.G).to.be.a('string').and.not.be.empty;
    expect(token?.M).to.deep.equal([]);
    expect(joined).to.deep.equal({ I: '0' });
    expect(message?.M).to.deep.equal([{ H: 'rooms', M: 'message', A: ['a', 'x'] }]);
    expect(said).to.deep.equal({ I: '1' });
  });

  it('a token is issued when the groups change, and only then; also for the last group that is left', async () => {
    const { wire } = await setUp();
    const socket = await wire.begin();
    const tokens = () => socket.envelopes.filter(({ G }) => G !== undefined).length;
    const steps: readonly [method: string, group: string, tokensAfter: number][] = [
      ['join', 'a', 1],
      ['join', 'a', 1],
      ['leave', 'b', 1],
      ['join', 'b', 2],
      ['leave', 'a', 3],
      ['leave', 'b', 4],
    ];
    for (const [index, [method, group, expected]] of steps.entries()) {
      socket.send({ H: 'rooms', M: method, A: [group], I: index });
      await socket.answer(index);
      expect(tokens(), `after ${method} ${group}`).to.equal(expected);
    }
  });

  const names = ['a.b', 'a:b', 'rooms.a', '"quoted" \\ and \'so\'', 'Ünïcödé 😀', ' ', '../..', 'a/b', '%20+&='];
  it('a group may have any name: with dots, colons, quotes, and of any script', async () => {
    const { wire, port, stop } = await setUp();
    const socket = await wire.begin();
    for (const [id, name] of names.entries()) {
      socket.send({ H: 'rooms', M: 'join', A: [name], I: id });
      await socket.answer(id);
      socket.send({ H: 'rooms', M: 'say', A: [name, 'hello'], I: 100 + id });
      await socket.answer(100 + id);
    }
    expect(socket.messages.map(({ A }) => A?.[0])).to.deep.equal(names);
    const { groupsToken } = socket.carried;
    await stop();
    const next = await goOn(port);
    const again = await wire.reconnect({ groupsToken });
    expect((await next.journal.nth('rejoiningGroups')).claimed).to.deep.equal([...names].sort());
    for (const name of names) await next.server.hub(RoomsHub).clients.group(name).message(name, 'again');
    await again.frames.until(() => again.messages.length >= names.length, 'a message of each group');
    expect(again.messages.map(({ A }) => A?.[0])).to.deep.equal(names);
  });

  it('a token names all groups of all hubs, whichever changed last', async () => {
    const { wire, port, stop } = await setUp({ hubs: ['rooms', 'news'] });
    const socket = await wire.begin();
    socket.send({ H: 'rooms', M: 'join', A: ['a'], I: 0 });
    socket.send({ H: 'news', M: 'follow', A: ['a'], I: 1 });
    await socket.answer(1);
    const { groupsToken } = socket.carried;
    await stop();
    const { journal } = await goOn(port);
    await wire.reconnect({ groupsToken });
    await journal.nth('reconnect', 2);
    expect(journal.of('rejoiningGroups').map(({ hub, claimed }) => [hub, claimed])).to.have.deep.members([
      ['rooms', ['a']],
      ['news', ['a']],
    ]);
  });
});
