import { hub, Hub, hubMethod } from '@hubline/core';
import { expect } from 'chai';
import type { TestServerOptions } from '../../../support/servers.js';
import { separator, WireClient } from '../../../support/wire-client.js';
import { path, serve } from './wire-site.js';

describe('the ASP.NET Core wire: the handshake', () => {
  /** What a client gets that says this first. */
  async function answerTo(first: string | Buffer, options: Partial<TestServerOptions> = {}) {
    const site = await serve(options);
    const client = await WireClient.open(site.port, path);
    client.socket.send(first);
    const closed = client.closed();
    const [answer] = await client.messages.atLeast(1);
    return { site, client, closed, answer: answer as string };
  }

  it('is answered with {} in a text frame', async () => {
    const { client } = await answerTo(`{"protocol":"json","version":1}${separator}`);
    expect(client.frames.items[0]).to.deep.equal({ text: `{}${separator}`, binary: false });
  });

  for (const version of [0, 1, 2]) {
    it(`version ${version} is accepted, and other members are skipped`, async () => {
      const { client, answer } = await answerTo(`{"version":${version},"later":[1],"protocol":"JSON"}${separator}`);
      expect(answer).to.equal('{}');
      expect(await client.invoke('add', [1, 2])).to.contain('"result":3');
    });
  }

  const unexpected = 'An unexpected error occurred during connection handshake.';
  const refused: readonly (readonly [what: string, first: string, error: string])[] = [
    ['no JSON', 'hello', unexpected],
    ['no object', '["json",1]', unexpected],
    ['nothing', '', unexpected],
    ['no protocol', '{"version":1}', unexpected],
    ['no version', '{"protocol":"json"}', unexpected],
    ['a version that is no integer', '{"protocol":"json","version":"1"}', unexpected],
    ['another message', '{"type":6}', unexpected],
    ['an unknown protocol', '{"protocol":"xyz","version":1}', "The protocol 'xyz' is not supported."],
    [
      'a version that is too high',
      '{"protocol":"json","version":3}',
      "The server does not support version 3 of the 'json' protocol.",
    ],
  ];
  for (const [what, first, error] of refused) {
    it(`with ${what} is refused, and the WebSocket is closed with 1000`, async () => {
      const { site, answer, closed } = await answerTo(`${first}${separator}`);
      expect(answer).to.equal(JSON.stringify({ error }));
      expect(await closed).to.deep.equal({ code: 1000, reason: '' });
      expect(site.server.connectionCount).to.equal(0);
      expect(site.journal.entries.items).to.deep.equal([]);
    });
  }

  it('says what is wrong with detailedErrors', async () => {
    const { answer } = await answerTo(`{"version":1}${separator}`, { detailedErrors: true });
    const error = `${unexpected} InvalidDataException: Missing required property 'protocol'.`;
    expect(answer).to.equal(JSON.stringify({ error }));
  });

  it('that is too long is refused, also before its end', async () => {
    const { answer, closed } = await answerTo('x'.repeat(32_769));
    expect(answer).to.equal('{"error":"Handshake was canceled."}');
    expect(await closed).to.deep.equal({ code: 1000, reason: '' });
  });

  it('that never comes is refused after 15 s', async () => {
    const site = await serve();
    const client = await WireClient.open(site.port, path);
    await site.clock.advance(14_000);
    await client.roundTrip();
    expect(client.messages.count).to.equal(0);
    await site.clock.advance(2_000);
    expect(await client.closed()).to.deep.equal({ code: 1000, reason: '' });
    expect(client.messages.items).to.deep.equal(['{"error":"Handshake was canceled."}']);
  });

  it('that is refused lets nothing behind it run', async () => {
    let called = false;
    @hub('calls')
    class CallsHub extends Hub {
      @hubMethod() call() {
        called = true;
      }
    }
    const site = await serve({ hubs: [CallsHub] });
    const client = await WireClient.open(site.port, '/calls');
    client.sendTogether('{"protocol":"xyz","version":1}', { type: 1, target: 'call', arguments: [] });
    await client.closed();
    expect(called).to.equal(false);
  });
});
