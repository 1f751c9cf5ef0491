import { type HubType, hub, Hub, hubMethod } from '@hubline/core';
import { settle } from '@hubline/core/testing';
import { expect } from 'chai';
import { expectNothingHeld, rawApp } from '../../support/raw-client.js';

@hub('Chat')
class ChatHub extends Hub {
  @hubMethod() echo(value: unknown) {
    return value;
  }
  @hubMethod({ arity: [1, 2] }) roll(_sides: number, _times?: number) {
    return 4;
  }
  @hubMethod() size(value: unknown) {
    return JSON.stringify(value).length;
  }
  @hubMethod() stateSize() {
    return JSON.stringify(this.context.state).length;
  }
}

const good = { H: 'Chat', M: 'echo', A: ['good'], I: 'good' };

/** The text of a call whose JSON has so many bytes. */
function callOf(bytes: number): string {
  const call = (filling: string) => JSON.stringify({ H: 'Chat', M: 'size', A: [filling], I: 0 });
  return call('x'.repeat(bytes - call('').length));
}

function nested(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`;
}

describe('a frame of a classic client', () => {
  const unreadable: readonly (readonly [what: string, text: string])[] = [
    ['is empty', ''],
    ['is no JSON', 'say hello'],
    ['is JSON that is cut off', '{"H":"Chat","M":"echo","A":["'],
    ['is two calls', `${JSON.stringify(good)}${JSON.stringify(good)}`],
    ['is null', 'null'],
    ['is a number', '7'],
    ['is a text', '"echo"'],
    ['is a list', `[${JSON.stringify({ ...good, I: 'bad' })}]`],
    ['is an empty object', '{}'],
    ['has no hub', '{"M":"echo","A":[1],"I":"bad"}'],
    ['has no method', '{"H":"Chat","A":[1],"I":"bad"}'],
    ['has a hub that is a number', '{"H":7,"M":"echo","A":[1],"I":"bad"}'],
    ['has a method that is a list', '{"H":"Chat","M":["echo"],"A":[1],"I":"bad"}'],
    ['has arguments that are an object', '{"H":"Chat","M":"echo","A":{"0":1},"I":"bad"}'],
    ['has arguments that are a text', '{"H":"Chat","M":"echo","A":"x","I":"bad"}'],
    ['has a state that is a text', '{"H":"Chat","M":"echo","A":[1],"I":"bad","S":"x"}'],
    ['has a state that is a list', '{"H":"Chat","M":"echo","A":[1],"I":"bad","S":[1]}'],
    ['has a state that is a number', '{"H":"Chat","M":"echo","A":[1],"I":"bad","S":1}'],
    ['has a state that is true', '{"H":"Chat","M":"echo","A":[1],"I":"bad","S":true}'],
    ['has an id that is an object', '{"H":"Chat","M":"echo","A":[1],"I":{"a":"bad"}}'],
    ['has an id that is a list', '{"H":"Chat","M":"echo","A":[1],"I":["bad"]}'],
    ['has an id that is true', '{"H":"Chat","M":"echo","A":[1],"I":true}'],
    ['is nested too deeply', `{"H":"Chat","M":"echo","A":[${nested(70)}],"I":"bad"}`],
    ['is nested as deeply as it can be', nested(32_768)],
    ['opens 65,536 lists', '['.repeat(65_536)],
  ];
  for (const [what, text] of unreadable) {
    it(`that ${what} is logged and not answered, and the connection goes on`, async () => {
      await using app = rawApp({ hubs: [ChatHub] });
      const client = app.classic(['Chat']);
      const socket = await client.start();
      const before = socket.frames.count;
      socket.send(text);
      socket.send(good);
      expect(await socket.answer('good')).to.deep.equal({ R: 'good', I: 'good' });
      expect(socket.frames.count).to.equal(before + 1);
      expect(app.log.items.map(({ level, message }) => `${level}: ${message}`)).to.deep.equal([
        'debug: A frame of a classic client could not be read.',
      ]);
      await client.abort();
      expectNothingHeld(app.server);
    });
  }

  it('of 65,536 bytes is taken', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const socket = await app.classic(['Chat']).start();
    const text = callOf(65_536);
    expect(Buffer.byteLength(text)).to.equal(65_536);
    socket.send(text);
    expect(await socket.answer('0')).to.have.property('R');
  });

  it('of 65,537 bytes costs its sender the socket, and not the connection', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const client = app.classic(['Chat']);
    const socket = await client.start();
    socket.send(callOf(65_537));
    expect(await socket.closed()).to.deep.equal({ code: 1009 });
    expect(socket.frames.items.some((text) => text.includes('"I"'))).to.equal(false);
    expect(app.server.connectionCount).to.equal(1);
    const again = await client.reconnect();
    again.send(good);
    expect(await again.answer('good')).to.include({ R: 'good' });
    await client.abort();
    expectNothingHeld(app.server);
  });

  it('in parts that together are larger than 65,536 bytes costs its sender the socket', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const client = app.classic(['Chat']);
    const socket = await client.start();
    for (let part = 0; part < 9; part++) socket.webSocket.send('x'.repeat(8_192), { fin: false });
    expect(await socket.closed()).to.deep.equal({ code: 1009 });
    await client.abort();
    expectNothingHeld(app.server);
  });

  it('that is binary costs its sender the socket, and not the connection', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const client = app.classic(['Chat']);
    const socket = await client.start();
    socket.send(Buffer.from(JSON.stringify(good)));
    expect(await socket.closed()).to.deep.equal({ code: 1003 });
    expect(app.server.connectionCount).to.equal(1);
    const again = await client.reconnect();
    again.send(good);
    expect(await again.answer('good')).to.include({ R: 'good' });
    await client.abort();
    expectNothingHeld(app.server);
  });

  it('that is no UTF-8 costs its sender the socket, and not the connection', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const client = app.classic(['Chat']);
    const socket = await client.start();
    socket.webSocket.send(Buffer.from([0xc3, 0x28]), { binary: false });
    expect(await socket.closed()).to.deep.equal({ code: 1007 });
    expect(app.server.connectionCount).to.equal(1);
    await client.abort();
    expectNothingHeld(app.server);
  });
});

describe('the id of a classic call', () => {
  const ids: readonly (readonly [sent: string, answered: string | undefined])[] = [
    ['0', '0'],
    ['-1', '-1'],
    ['1.5', '1.5'],
    ['1e21', '1e+21'],
    ['1e999', 'Infinity'],
    ['"0"', '0'],
    ['""', ''],
    ['"a\\"}b"', 'a"}b'],
    ['"__proto__"', '__proto__'],
    [`"${'x'.repeat(10_000)}"`, 'x'.repeat(10_000)],
    ['null', undefined],
  ];
  for (const [sent, answered] of ids) {
    const shown = sent.length > 20 ? `a text of ${sent.length - 2} characters` : sent;
    it(`${shown} comes back ${answered === undefined ? 'in no answer' : 'as a text'}`, async () => {
      await using app = rawApp({ hubs: [ChatHub] });
      const socket = await app.classic(['Chat']).start();
      const before = socket.frames.count;
      socket.send(`{"H":"Chat","M":"echo","A":[7],"I":${sent}}`);
      socket.send(good);
      await socket.answer('good');
      const answers = socket.frames.items.slice(before, -1).map((text) => JSON.parse(text) as object);
      expect(answers).to.deep.equal(answered === undefined ? [] : [{ R: 7, I: answered }]);
    });
  }
});

describe('the state of a classic call', () => {
  const stateOf = (length: number) => {
    const state = (text: string) => JSON.stringify({ a: text });
    return state('x'.repeat(length - state('').length));
  };

  it('of 4,096 characters is taken', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const socket = await app.classic(['Chat']).start();
    socket.send(`{"H":"Chat","M":"stateSize","I":0,"S":${stateOf(4_096)}}`);
    expect(await socket.answer('0')).to.deep.equal({ R: 4_096, I: '0' });
  });

  it('of 4,097 characters makes its call unreadable', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const socket = await app.classic(['Chat']).start();
    socket.send(`{"H":"Chat","M":"stateSize","I":0,"S":${stateOf(4_097)}}`);
    socket.send(good);
    await socket.answer('good');
    expect(socket.frames.items.some((text) => text.includes('"I":"0"'))).to.equal(false);
    expect(app.loggedCodes).to.deep.equal(['HUB_MESSAGE_INVALID']);
  });

  it('with a key that every object has is nothing but state', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const socket = await app.classic(['Chat']).start();
    socket.send('{"H":"Chat","M":"stateSize","I":0,"S":{"__proto__":{"toJSON":1},"constructor":1}}');
    expect(await socket.answer('0')).to.deep.equal({ R: 42, I: '0' });
    expect(({} as { toJSON?: unknown }).toJSON).to.equal(undefined);
  });
});

describe('a call that fits nothing', () => {
  const methods = 'echo (1 argument), roll (1 to 2 arguments), size (1 argument), stateSize (0 arguments)';
  const calls: readonly (readonly [what: string, call: object, name: string, detailed: string, code: string])[] = [
    [
      'of an unknown hub',
      { H: 'Nobody', M: 'Say', A: [] },
      'Nobody.Say',
      "A client called a hub 'Nobody' that this server does not have.",
      'HUB_UNKNOWN_HUB',
    ],
    [
      'of a hub called like a property of every object',
      { H: '__proto__', M: 'toString', A: [] },
      '__proto__.toString',
      "A client called a hub '__proto__' that this server does not have.",
      'HUB_UNKNOWN_HUB',
    ],
    [
      'of an unknown method',
      { H: 'chat', M: 'Whisper', A: [1] },
      'chat.Whisper',
      `Hub 'Chat' has no method 'Whisper'. It has: ${methods}.`,
      'HUB_UNKNOWN_METHOD',
    ],
    [
      'of a method of the base class',
      { H: 'chat', M: 'onConnected', A: [] },
      'chat.onConnected',
      `Hub 'Chat' has no method 'onConnected'. It has: ${methods}.`,
      'HUB_UNKNOWN_METHOD',
    ],
    [
      'of the constructor',
      { H: 'chat', M: 'constructor', A: [] },
      'chat.constructor',
      `Hub 'Chat' has no method 'constructor'. It has: ${methods}.`,
      'HUB_UNKNOWN_METHOD',
    ],
    [
      'with too few arguments',
      { H: 'CHAT', M: 'ECHO', A: [] },
      'CHAT.ECHO',
      "'Chat.echo' takes 1 arguments, not 0.",
      'HUB_ARGUMENT_COUNT',
    ],
    [
      'without arguments',
      { H: 'chat', M: 'echo' },
      'chat.echo',
      "'Chat.echo' takes 1 arguments, not 0.",
      'HUB_ARGUMENT_COUNT',
    ],
    [
      'with too many arguments',
      { H: 'chat', M: 'roll', A: [1, 2, 3] },
      'chat.roll',
      "'Chat.roll' takes 1 to 2 arguments, not 3.",
      'HUB_ARGUMENT_COUNT',
    ],
  ];

  for (const [what, call, name, detailed, code] of calls) {
    for (const detailedErrors of [false, true]) {
      it(`${what} is answered ${detailedErrors ? 'with what was wrong' : 'with the names as sent'}`, async () => {
        await using app = rawApp({ hubs: [ChatHub] as HubType[], detailedErrors });
        const client = app.classic(['Chat']);
        const socket = await client.start();
        socket.send({ ...call, I: 3 });
        const text = detailedErrors ? detailed : `There was an error invoking Hub method '${name}'.`;
        expect(await socket.answer('3')).to.deep.equal({ I: '3', E: text });
        // No fault of the application: nobody is woken up for it.
        expect(app.log.items.map(({ level }) => level)).to.deep.equal(['debug']);
        expect(app.loggedCodes).to.deep.equal([code]);
        socket.send(good);
        expect(await socket.answer('good')).to.include({ R: 'good' });
        await client.abort();
        await settle();
        expectNothingHeld(app.server);
      });
    }
  }
});
