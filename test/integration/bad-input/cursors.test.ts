import { hub, Hub, type HubPipelineModule, type Resume } from '@hubline/core';
import { settle } from '@hubline/core/testing';
import { expect } from 'chai';
import { rawApp, expectNothingHeld } from '../../support/raw-client.js';

interface ChatClient {
  said(text: string): void;
}

@hub('chat')
class ChatHub extends Hub<ChatClient> {}

/** `own` is the cursor up to which the client has received. */
type Cursor = (own: string) => string | undefined;

const epochOf = (own: string) => own.slice(0, own.indexOf('-'));

const cases: readonly (readonly [what: string, cursor: Cursor, complete: boolean, replayed: readonly string[]])[] = [
  ['of its own', (own) => own, true, ['away']],
  ['of another epoch', () => 'abcdef-1', false, ['before', 'away']],
  ['of another epoch, far ahead', () => 'abcdef-zzzzzzzz', false, ['before', 'away']],
  ['from the future', (own) => `${epochOf(own)}-zz`, false, []],
  ['from the farthest future', (own) => `${epochOf(own)}-${Number.MAX_SAFE_INTEGER.toString(36)}`, false, []],
  ['beyond all numbers', (own) => `${epochOf(own)}-zzzzzzzzzzz`, false, []],
  ['with a leading zero', (own) => own.replace('-', '-0'), false, []],
  ['in capitals', (own) => own.toUpperCase().replace('-', '-A'), false, []],
  ['below zero', (own) => own.replace('-', '--'), false, []],
  ['without an epoch', (own) => own.slice(own.indexOf('-')), false, []],
  ['of the reference server', () => 'd-3B9AC9FF-A,0|B,0|C,1', false, []],
  ['of random bytes', () => '\u0000\u00ff\ud83d\ude00"}\n%00\'--', false, []],
  ['that is empty', () => '', false, []],
  ['that is missing', () => undefined, false, []],
  ['that is huge', () => 'a-1'.repeat(3_000), false, []],
  ['that is there twice', (own) => `${own},${own}`, false, []],
];

describe('a classic client comes back with a cursor', () => {
  for (const [what, cursor, complete, replayed] of cases) {
    it(`${what}: complete is ${complete}, and it is replayed ${replayed.join(' and ') || 'nothing'}`, async () => {
      const resumes: Resume[] = [];
      const watcher: HubPipelineModule = {
        name: 'watcher',
        reconnect({ resume }, next) {
          resumes.push(resume);
          return next();
        },
      };
      await using app = rawApp({ hubs: [ChatHub], modules: [watcher] });
      const client = app.classic(['chat']);
      const socket = await client.start();
      const { all } = app.server.hub(ChatHub).clients;
      await all.said('before');
      await settle();
      await socket.drop();
      await all.said('away');
      const again = await client.reconnect({ messageId: cursor(client.cursor as string) });
      await settle();
      expect(resumes.map((resume) => [resume.complete, resume.newLife])).to.deep.equal([[complete, false]]);
      const received = () => again.received.map(({ A }) => A[0]);
      expect(received()).to.deep.equal(replayed);
      await all.said('after');
      await settle();
      expect(received()).to.deep.equal([...replayed, 'after']);
      await client.abort();
      expectNothingHeld(app.server);
    });
  }

  it('that reaches back before its negotiation: nothing from before that is replayed', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    // Somebody else keeps the topic.
    await app.classic(['chat']).start();
    await app.server.hub(ChatHub).clients.all.said('before');
    const client = app.classic(['chat']);
    await (await client.start()).drop();
    const [epoch] = (client.cursor as string).split('-');
    const again = await client.reconnect({ messageId: `${epoch}-0` });
    await settle();
    expect(again.received).to.deep.equal([]);
  });
});
