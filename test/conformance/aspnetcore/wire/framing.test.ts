import { expect } from 'chai';
import { separator, WireClient } from '../../../support/wire-client.js';
import { brokenClose, connect, disconnects, path, serve } from './wire-site.js';

describe('the ASP.NET Core wire: framing', () => {
  const stream =
    `{"protocol":"json","version":1}${separator}` +
    `{"type":1,"invocationId":"a","target":"echo","arguments":["größer 😀"]}${separator}` +
    `{"type":6}${separator}{"type":1,"invocationId":"b","target":"add","arguments":[1,2]}${separator}`;

  /** The messages of a client that has sent its bytes in these frames. */
  async function answersTo(frames: readonly (string | Buffer)[]): Promise<readonly string[]> {
    const { port } = await serve();
    const client = await WireClient.open(port, path);
    for (const frame of frames) client.socket.send(frame);
    await client.completion('b');
    expect(client.frames.items.some(({ binary }) => binary)).to.equal(false);
    return client.messages.items.filter((message) => !message.includes('"welcome"'));
  }

  const expected = [
    '{}',
    '{"type":3,"invocationId":"a","result":"größer 😀"}',
    '{"type":3,"invocationId":"b","result":3}',
  ];

  it('a handshake and messages come together in one frame', async () => {
    expect(await answersTo([stream])).to.deep.equal(expected);
  });

  it('messages come in pieces, be they single bytes', async () => {
    expect(await answersTo([...Buffer.from(stream)].map((byte) => Buffer.of(byte)))).to.deep.equal(expected);
  });

  it('messages come in binary frames, and are answered in text frames', async () => {
    expect(await answersTo([Buffer.from(stream)])).to.deep.equal(expected);
  });

  it('many messages come in one frame', async () => {
    const { client } = await connect();
    const calls = Array.from({ length: 50 }, (_, index) => ({
      type: 1,
      invocationId: `${index}`,
      target: 'add',
      arguments: [index, 1],
    }));
    client.sendTogether(...calls);
    await client.completion('49');
    const answers = client.messages.items.filter((message) => message.startsWith('{"type":3'));
    expect(answers).to.deep.equal(
      calls.map((_, index) => `{"type":3,"invocationId":"${index}","result":${index + 1}}`),
    );
  });

  it('one frame may be larger than one message', async () => {
    const { client } = await connect();
    const text = 'x'.repeat(20_000);
    const call = { type: 1, target: 'echo', arguments: [text] };
    client.sendTogether(...Array.from({ length: 10 }, () => call), { ...call, invocationId: 'last' });
    expect(await client.completion('last')).to.contain(text);
  });

  for (const [what, length] of [
    ['a message of 32 KiB with its separator', 32_768],
    ['a message above 32 KiB', 32_769],
  ] as const) {
    const isAllowed = length === 32_768;
    it(`${what} ${isAllowed ? 'is read' : 'closes the connection, with leave to reconnect'}`, async () => {
      const { site, client } = await connect();
      const around = '{"type":1,"invocationId":"1","target":"echo","arguments":[""]}'.length + 1;
      const call = { type: 1, invocationId: '1', target: 'echo', arguments: ['x'.repeat(length - around)] };
      client.send(call);
      if (isAllowed) {
        await client.completion('1');
        return;
      }
      expect(await client.closed()).to.deep.equal({ code: 1000, reason: '' });
      expect(client.messages.items.at(-1)).to.equal(brokenClose);
      expect(await disconnects(site)).to.deep.equal(['error']);
    });
  }

  it('a message that grows over several frames is not awaited beyond the limit', async () => {
    const { client } = await connect();
    for (let part = 0; part < 33; part++) client.socket.send('x'.repeat(1_000));
    await client.closed();
    expect(client.messages.items.at(-1)).to.equal(brokenClose);
  });

  it('detailedErrors tells that a message was too large', async () => {
    const { client } = await connect({ detailedErrors: true });
    client.socket.send('x'.repeat(32_769));
    await client.closed();
    expect(client.messages.items.at(-1)).to.equal(
      JSON.stringify({
        type: 7,
        error:
          'Connection closed with an error. InvalidDataException: ' +
          'The maximum message size of 32768B was exceeded. The message size can be configured in AddHubOptions.',
        allowReconnect: true,
      }),
    );
  });
});
