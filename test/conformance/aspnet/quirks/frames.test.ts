import { VirtualClock } from '@hubline/core/testing';
import { expect } from 'chai';
import { NewsHub } from '../cases/hubs.js';
import { setUp } from './set-up.js';

describe('quirks of the classic wire: frames', () => {
  it('every answer and every message is exactly as clients know them', async () => {
    const { wire } = await setUp();
    const socket = await wire.begin();
    const answers: readonly [call: object, answer: string][] = [
      [{ H: 'rooms', M: 'echo', A: ['hi'], I: 0 }, '{"R":"hi","I":"0"}'],
      [{ H: 'rooms', M: 'nothing', A: [], I: 1 }, '{"I":"1"}'],
      [{ H: 'rooms', M: 'fail', A: [], I: 2 }, `{"I":"2","E":"There was an error invoking Hub method 'rooms.fail'."}`],
      [{ H: 'rooms', M: 'refuse', A: [], I: 3 }, '{"I":"3","H":true,"E":"The room is full.","D":{"max":10}}'],
      [{ H: 'rooms', M: 'echo', A: [null], I: 4 }, '{"I":"4"}'],
      [{ H: 'rooms', M: 'echo', A: [false], I: 5 }, '{"R":false,"I":"5"}'],
      [{ H: 'rooms', M: 'echo', A: [0], I: 6 }, '{"R":0,"I":"6"}'],
      [{ H: 'rooms', M: 'echo', A: [''], I: 7 }, '{"R":"","I":"7"}'],
      [{ H: 'Rooms', M: 'ECHO', A: [{ a: null }], I: 8 }, '{"R":{"a":null},"I":"8"}'],
      [{ H: 'Nope', M: 'Gone', A: [], I: 9 }, `{"I":"9","E":"There was an error invoking Hub method 'Nope.Gone'."}`],
    ];
    for (const [call, answer] of answers) {
      socket.send(call);
      expect(await socket.answer((call as { readonly I: number }).I)).to.equal(answer);
    }
  });

  it('the id of a call comes back as text, whether it was a number or a text', async () => {
    const { wire } = await setUp();
    const socket = await wire.begin();
    for (const [given, answered] of [
      ['7', '7'],
      [8, '8'],
      ['a "b"', 'a "b"'],
    ] as const) {
      socket.send({ H: 'rooms', M: 'nothing', I: given });
      expect(await socket.answer(answered)).to.equal(JSON.stringify({ I: answered }));
    }
  });

  it('a call without an id runs, and is not answered', async () => {
    const { wire } = await setUp();
    const socket = await wire.begin();
    socket.send({ H: 'rooms', M: 'tell', A: ['caller', [], 'it ran'] });
    await socket.message('it ran');
    socket.send({ H: 'rooms', M: 'nothing', I: 0 });
    await socket.answer(0);
    expect(socket.envelopes.filter(({ I }) => I !== undefined)).to.have.length(1);
  });

  it('a call whose id was used before is answered again', async () => {
    const { wire } = await setUp();
    const socket = await wire.begin();
    socket.send({ H: 'rooms', M: 'echo', A: ['one'], I: 0 });
    socket.send({ H: 'rooms', M: 'echo', A: ['two'], I: 0 });
    expect(await socket.answer(0, 2)).to.equal('{"R":"two","I":"0"}');
    expect(await socket.answer(0, 1)).to.equal('{"R":"one","I":"0"}');
  });

  it('a call without arguments may leave them out or say null', async () => {
    const { wire } = await setUp();
    const socket = await wire.begin();
    socket.send({ H: 'rooms', M: 'nothing', I: 0 });
    socket.send({ H: 'rooms', M: 'nothing', A: null, I: 1, S: null });
    expect(await socket.answer(0)).to.equal('{"I":"0"}');
    expect(await socket.answer(1)).to.equal('{"I":"1"}');
  });

  it('the letters of a frame are upper case: others are not read, and the connection lives', async () => {
    const { wire } = await setUp();
    const socket = await wire.begin();
    socket.send({ h: 'rooms', m: 'echo', a: ['lower'], i: 0 });
    socket.send({ H: 'rooms', M: 'echo', A: ['upper'], I: 0 });
    expect(await socket.answer(0)).to.equal('{"R":"upper","I":"0"}');
    expect(socket.envelopes.filter(({ I }) => I !== undefined)).to.have.length(1);
  });

  it('a message is an envelope with its cursor, and names the hub as it was declared', async () => {
    const { wire } = await setUp({ hubs: ['ROOMS'] });
    const socket = await wire.begin();
    socket.send({ H: 'rooms', M: 'tell', A: ['all', [], 'hi'], I: 0 });
    expect(await socket.frame(2)).to.match(/^\{"C":"[^"]+","M":\[\{"H":"rooms","M":"note","A":\["hi"\]\}\]\}$/);
  });

  it('progress is an element of M whose outer id no call has', async () => {
    const { wire } = await setUp();
    const socket = await wire.begin();
    socket.send({ H: 'rooms', M: 'count', A: [2], I: 4 });
    expect(await socket.answer(4)).to.equal('{"R":"done","I":"4"}');
    expect(socket.messages).to.deep.equal([
      { I: 'P|4', P: { I: '4', D: 1 } },
      { I: 'P|4', P: { I: '4', D: 2 } },
    ]);
  });

  it("changes of the caller's state are in messages to the caller and in the answer", async () => {
    const { wire } = await setUp();
    const socket = await wire.begin();
    socket.send({ H: 'rooms', M: 'rename', A: ['ann'], I: 5, S: { nick: 'bob', color: 'red' } });
    expect(await socket.answer(5)).to.equal('{"S":{"nick":"ann"},"R":{"nick":"bob","color":"red"},"I":"5"}');
    expect(socket.messages).to.deep.equal([{ H: 'rooms', M: 'note', A: ['renamed'], S: { nick: 'ann' } }]);
  });

  it('state that is written with its own value is no change', async () => {
    const { wire } = await setUp();
    const socket = await wire.begin();
    socket.send({ H: 'rooms', M: 'rename', A: ['ann'], I: 5, S: { nick: 'ann' } });
    expect(await socket.answer(5)).to.not.contain('"S"');
  });

  it('every envelope has its C and its M, no member is null, and members stand in their order', async () => {
    const { wire, server } = await setUp({ hubs: ['rooms', 'news'] });
    const first = await wire.begin();
    first.send({ H: 'rooms', M: 'join', A: ['a'], I: 0 });
    first.send({ H: 'rooms', M: 'say', A: ['a', 'one'], I: 1 });
    first.send({ H: 'rooms', M: 'sayToOthers', A: ['a', 'two'], I: 2 });
    first.send({ H: 'rooms', M: 'count', A: [1], I: 3 });
    first.send({ H: 'rooms', M: 'leave', A: ['a'], I: 4 });
    await Promise.all([0, 1, 2, 3, 4].map((id) => first.answer(id)));
    first.cut();
    await server.hub(NewsHub).clients.all.headline('missed');
    const second = await wire.reconnect({ messageId: first.carried.messageId });
    await second.message('missed');
    for (const text of [...first.frames.items, ...second.frames.items]) {
      const frame = JSON.parse(text) as Record<string, unknown>;
      for (const [name, value] of Object.entries(frame)) expect(value, `${name} in ${text}`).not.to.equal(null);
      if ('I' in frame) continue;
      expect(frame.C, text).to.be.a('string').and.not.be.empty;
      expect(frame.M, text).to.be.an('array');
      const order = ['C', 'S', 'T', 'G', 'L', 'M'];
      expect(Object.keys(frame), text).to.deep.equal(order.filter((name) => name in frame));
    }
  });

  it('an idle connection is sent exactly {} every ten seconds', async () => {
    const clock = new VirtualClock();
    const { wire } = await setUp({}, { clock });
    const socket = await wire.begin();
    await clock.advance(9_000);
    socket.send({ H: 'rooms', M: 'nothing', I: 0 });
    await socket.answer(0);
    expect(socket.frames.items).to.have.length(2);
    await clock.advance(2_000);
    expect(await socket.frame(3)).to.equal('{}');
    await clock.advance(11_000);
    expect(await socket.frame(4)).to.equal('{}');
  });
});
