import { hub, Hub, hubMethod, HublineError, type HubPipelineModule } from '@hubline/core';
import { failure, settle } from '@hubline/core/testing';
import { expect } from 'chai';
import { rawApp, type RawApp } from '../support/raw-client.js';

interface ChatClient {
  say(value: unknown): void;
}

type Late = (hub: ChatHub) => unknown;

let late: Late = () => undefined;
let answer: unknown;

@hub('chat')
class ChatHub extends Hub<ChatClient> {
  override onConnected(): void {
    if (this.context.request.query.get('late') === 'connect') this.later();
  }
  override onDisconnected(): void {
    if (this.context.request.query.get('late') === 'disconnect') this.later();
  }
  @hubMethod() inCall(): string {
    this.context.state['seen'] = true;
    this.context.progress(1);
    this.later();
    return 'returned';
  }
  private later(): void {
    this.context.clock.after(100, () => {
      answer = late(this);
    });
  }
}

interface Seen {
  readonly method: string;
  readonly inCall: boolean;
  readonly user: string | undefined;
}

function sendWatcher(): HubPipelineModule & { readonly seen: Seen[] } {
  const seen: Seen[] = [];
  return {
    name: 'send-watcher',
    seen,
    send({ method, call, user }, next) {
      seen.push({ method, inCall: call !== undefined, user: user?.id });
      return next();
    },
  };
}

async function callAndWait(app: RawApp, what: Late, query: Record<string, string> = {}) {
  late = what;
  answer = 'nothing yet';
  const client = app.classic(['chat'], { 'x-user': 'ann' });
  const socket = await client.start(query);
  if (query['late'] === undefined) {
    socket.send({ H: 'chat', M: 'inCall', A: [], I: 0, S: { seen: false } });
    expect(await socket.answer('0')).to.deep.equal({ S: { seen: true }, R: 'returned', I: '0' });
  }
  await app.clock.advance(99);
  expect(answer).to.equal('nothing yet');
  await app.clock.advance(1);
  return { client, socket };
}

describe('a hub that is used 100 ms after its method has returned', () => {
  it('sends to its caller as from outside a call', async () => {
    const watcher = sendWatcher();
    await using app = rawApp({ hubs: [ChatHub], modules: [watcher] });
    const { socket } = await callAndWait(app, ({ clients }) => clients.caller.say('late'));
    await answer;
    await settle();
    expect(socket.received.filter(({ M }) => M === 'say')).to.deep.equal([{ H: 'chat', M: 'say', A: ['late'] }]);
    expect(watcher.seen).to.deep.equal([{ method: 'say', inCall: false, user: undefined }]);
  });

  it('changes groups as from outside a call', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const { socket } = await callAndWait(app, ({ groups }) => groups.add('room'));
    expect(await answer).to.equal('joined');
    await app.server.hub(ChatHub).clients.group('room').say('in the room');
    await settle();
    expect(socket.received.at(-1)).to.include({ M: 'say' });
    await callAndWait(app, ({ groups }) => groups.remove('room'));
    expect(await answer).to.equal('left');
  });

  it('is told that its caller is gone', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    let hubOfCall: ChatHub | undefined;
    const { client } = await callAndWait(app, (late) => (hubOfCall = late));
    await client.abort();
    expect(await hubOfCall?.groups.add('room')).to.equal('gone');
    expect(await hubOfCall?.groups.remove('room')).to.equal('gone');
    await hubOfCall?.clients.caller.say('to nobody');
  });

  it('still knows its caller', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const { client } = await callAndWait(app, ({ user, context }) => [user.id, context.connectionId]);
    expect(answer).to.deep.equal(['ann', client.id]);
  });

  const ended: readonly (readonly [what: string, use: Late])[] = [
    ['reads the state', ({ context }) => context.state],
    ['writes the state', ({ context }) => (context.state['seen'] = 1)],
    ['reports progress', ({ context }) => context.progress(2)],
  ];
  for (const [what, use] of ended) {
    it(`throws HUB_CALL_ENDED when it ${what}`, async () => {
      await using app = rawApp({ hubs: [ChatHub] });
      const { socket } = await callAndWait(app, (hubOfCall) => {
        try {
          return use(hubOfCall);
        } catch (error) {
          return error;
        }
      });
      expect(answer).to.be.instanceOf(HublineError).with.property('code', 'HUB_CALL_ENDED');
      await settle();
      expect(socket.frames.items.filter((text) => text.includes('"P"'))).to.have.length(1);
    });
  }

  it('has a send that cannot be encoded, and that it does not await, logged once', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    await callAndWait(app, ({ clients }) => void clients.caller.say(2n ** 70n));
    await settle();
    expect(app.loggedCodes).to.deep.equal(['HUB_SEND_FAILED', 'HUB_CANNOT_ENCODE']);
  });

  it('has a send that cannot be encoded, and that it awaits, reject', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    await callAndWait(app, ({ clients }) => failure(clients.caller.say(2n ** 70n)));
    expect(await answer).to.have.property('code', 'HUB_CANNOT_ENCODE');
    expect(app.log.count).to.equal(0);
  });

  it('works alike after onConnected', async () => {
    const watcher = sendWatcher();
    await using app = rawApp({ hubs: [ChatHub], modules: [watcher] });
    const { socket } = await callAndWait(
      app,
      async ({ clients, groups, context }) => {
        await clients.caller.say('late');
        expect(() => context.state)
          .to.throw(HublineError)
          .with.property('code', 'HUB_CALL_ENDED');
        return groups.add('room');
      },
      { late: 'connect' },
    );
    expect(await answer).to.equal('joined');
    expect(socket.received.map(({ A }) => A[0])).to.deep.equal(['late']);
    expect(watcher.seen).to.deep.equal([{ method: 'say', inCall: false, user: undefined }]);
  });

  it('works alike after onDisconnected, where its caller is gone', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    late = async ({ clients, groups }) => {
      await clients.caller.say('to nobody');
      return groups.add('room');
    };
    const client = app.classic(['chat']);
    await client.start({ late: 'disconnect' });
    await client.abort();
    await app.clock.advance(100);
    expect(await answer).to.equal('gone');
  });
});
