import { hub, Hub, hubMethod } from '@hubline/core';
import { settle } from '@hubline/core/testing';
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { eventRecorder, expectNothingHeld, rawApp, type RawSocket } from '../support/raw-client.js';

interface ChatClient {
  said(text: string): void;
}

@hub('chat')
class ChatHub extends Hub<ChatClient> {
  @hubMethod() echo(value: unknown) {
    return value;
  }
}

const isFull = process.env.HUBLINE_EFFORT === 'full';

describe('many receive requests with one connection token at once', function () {
  this.timeout(60_000);

  for (const suffix of ['connect', 'reconnect'] as const) {
    for (const state of ['has not connected', 'is connected', 'is away', 'is forgotten'] as const) {
      // What comes most often comes in full; the others are alike.
      const count = isFull || (suffix === 'reconnect' && state === 'is connected') ? 1_000 : 100;
      it(`${count} to /${suffix}, of a client that ${state}: all but the newest end gracefully, and there is one disconnect`, async () => {
        const recorder = eventRecorder();
        await using app = rawApp({ hubs: [ChatHub], modules: [recorder] });
        const client = await app.classic(['chat']).negotiate();
        if (state !== 'has not connected') {
          const first = await client.connect();
          await client.get('start');
          if (state !== 'is connected') await first.drop();
          if (state === 'is forgotten') await app.clock.advance(32_000);
        }
        recorder.events.length = 0;
        const { cursor } = client;
        const asked = Array.from({ length: count }, () => client.open(suffix, { messageId: cursor }));
        const sockets = await Promise.all(asked);
        if (suffix === 'connect') await client.get('start');
        await settle();

        expect(sockets).to.have.length(count);
        expect(app.server.connectionCount).to.equal(1);

        const open = () => sockets.filter(({ webSocket }) => webSocket.readyState === webSocket.OPEN);
        await eventually(() => open().length === 1, 'one socket that stays');
        const [newest] = open() as [RawSocket];
        if (suffix === 'reconnect') expect(sockets.indexOf(newest)).to.equal(count - 1);
        for (const older of sockets) if (older !== newest) expect(await older.closed()).to.deep.equal({ code: 1000 });
        newest.send({ H: 'chat', M: 'echo', A: ['here'], I: 'last' });
        expect(await newest.answer('last')).to.include({ R: 'here' });
        await app.server.hub(ChatHub).clients.all.said('hello');
        await settle();
        const received = sockets.map((socket) => socket.received.length).reduce((sum, length) => sum + length);
        expect(received).to.equal(1);

        await client.abort();
        expect(recorder.events.filter((event) => event.startsWith('disconnect'))).to.deep.equal(['disconnect client']);
        expect(recorder.events.filter((event) => event === 'connect').length).to.be.at.most(1);
        expect(recorder.events.filter((event) => event === 'reconnect anew').length).to.be.at.most(1);
        expect(app.log.items.filter(({ level }) => level === 'error')).to.deep.equal([]);
        expectNothingHeld(app.server);
      });
    }
  }
});
