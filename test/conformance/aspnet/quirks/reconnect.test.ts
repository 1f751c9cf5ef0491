import { VirtualClock } from '@hubline/core/testing';
import { expect } from 'chai';
import { connectionData } from '../../../support/classic-wire.js';
import { Gates } from '../cases/gates.js';
import { NewsHub, RoomsHub } from '../cases/hubs.js';
import { setUp } from './set-up.js';

describe('quirks of the classic wire: reconnect', () => {
  it('nothing is sent after a reconnect until there is something', async () => {
    const { wire, server, journal } = await setUp();
    const first = await wire.begin();
    const messageId = first.carried.messageId;
    first.cut();
    const second = await wire.reconnect({ messageId });
    await journal.nth('reconnect');
    await server.hub(RoomsHub).clients.all.note('something');
    expect(await second.frame(1)).to.match(/^\{"C":"[^"]+","M":\[\{"H":"rooms","M":"note","A":\["something"\]\}\]\}$/);
  });

  it('messages after the cursor that is presented are replayed, whatever the server has written since', async () => {
    const { wire, server } = await setUp();
    const first = await wire.begin();
    const { clients } = server.hub(RoomsHub);
    for (const text of ['one', 'two', 'three']) await clients.all.note(text);
    await first.message('three');
    const messageId = first.envelopes.find(({ M }) => M?.[0]?.A?.[0] === 'one')?.C;
    first.cut();
    const second = await wire.reconnect({ messageId });
    await second.message('three');
    expect(second.messages.map(({ A }) => A?.[0])).to.deep.equal(['two', 'three']);
  });

  it('an empty messageId is none: there is no replay, and the hub is told that something may be missing', async () => {
    const { wire, server, journal } = await setUp();
    const first = await wire.begin();
    first.cut();
    await server.hub(RoomsHub).clients.all.note('missed');
    const second = await wire.reconnect({ messageId: '' });
    expect((await journal.nth('reconnect')).resume.complete).to.equal(false);
    await server.hub(RoomsHub).clients.all.note('after');
    await second.message('after');
    expect(second.messages).to.have.length(1);
  });

  it('an older socket is closed with 1000 when a newer one comes, and no event tells of it', async () => {
    const { wire, server, journal } = await setUp();
    const first = await wire.begin();
    const second = await wire.reconnect({ messageId: first.carried.messageId });
    expect(await first.closedWithin()).to.deep.equal({ code: 1000, reason: '' });
    await server.hub(RoomsHub).clients.all.note('to the newer');
    await second.message('to the newer');
    expect(first.messages).to.deep.equal([]);
    expect(journal.of('disconnect')).to.deep.equal([]);
    expect((await journal.nth('reconnect')).resume).to.include({ newLife: false, complete: true });
  });

  it('a result whose socket has been replaced is dropped, and the call completes', async () => {
    const gates = new Gates();
    const { wire } = await setUp({}, { modules: [gates] });
    const first = await wire.begin();
    first.send({ H: 'rooms', M: 'gated', A: ['old'], I: 0 });
    await gates.entered.atLeast(1);
    const second = await wire.reconnect({ messageId: first.carried.messageId });
    gates.open('old');
    await gates.passed.atLeast(1);
    second.send({ H: 'rooms', M: 'echo', A: ['new'], I: 0 });
    expect(await second.answer(0)).to.equal('{"R":"new","I":"0"}');
    expect(second.envelopes.filter(({ I }) => I !== undefined)).to.have.length(1);
    await first.closedWithin();
    expect(first.envelopes.filter(({ I }) => I !== undefined)).to.deep.equal([]);
  });

  it('ids begin again with each socket, and are answered again', async () => {
    const { wire } = await setUp();
    let socket = await wire.begin();
    for (const round of ['one', 'two', 'three']) {
      socket.send({ H: 'rooms', M: 'echo', A: [round], I: 0 });
      expect(await socket.answer(0)).to.equal(`{"R":"${round}","I":"0"}`);
      socket.cut();
      socket = await wire.reconnect();
    }
  });

  it('a connection that nobody has is resumed if its token is good, in a new life', async () => {
    const { wire, journal, server } = await setUp();
    await wire.negotiate();
    const socket = await wire.reconnect();
    const { resume, id } = await journal.nth('reconnect');
    expect(id).to.equal(wire.id);
    expect(resume).to.deep.include({ newLife: true, complete: false, groups: [] });
    await server.hub(RoomsHub).clients.client(wire.id).note('hello');
    await socket.message('hello');
    expect(journal.of('connect')).to.deep.equal([]);
  });

  it('any other path with a WebSocket is a reconnect', async () => {
    const { wire, journal } = await setUp();
    const first = await wire.begin();
    first.cut();
    await wire.open('/signalr', wire.query({ transport: 'webSockets' }));
    await journal.nth('reconnect', 1);
    await wire.open('/signalr/poll', wire.query({ transport: 'webSockets' }));
    await journal.nth('reconnect', 2);
    expect(journal.of('connect')).to.have.length(1);
  });

  it('the hubs are those of the reconnect', async () => {
    const { wire, server, journal } = await setUp();
    const first = await wire.begin();
    first.cut();
    const second = await wire.reconnect({ connectionData: connectionData(['news']) });
    expect((await journal.nth('reconnect')).hub).to.equal('news');
    await server.hub(RoomsHub).clients.all.note('not any more');
    await server.hub(NewsHub).clients.all.headline('the end');
    await second.message('the end');
    expect(second.messages).to.have.length(1);
  });

  it('a connection that was waited for too long comes back in a new life, after its disconnect', async () => {
    const clock = new VirtualClock();
    const { wire, journal } = await setUp({}, { clock });
    const first = await wire.begin();
    first.cut();
    for (let second = 0; second < 120 && journal.of('disconnect').length === 0; second++) await clock.advance(1_000);
    expect(journal.of('disconnect').map(({ reason }) => reason)).to.deep.equal(['timeout']);
    await wire.reconnect({ messageId: first.carried.messageId });
    expect((await journal.nth('reconnect')).resume).to.include({ newLife: true, complete: false });
  });
});
