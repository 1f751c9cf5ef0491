import { createUser, Hub, HublineError } from '@hubline/core';
import { bindHub } from '@hubline/core/internal/hubs/hub-call.js';
import { expect } from 'chai';
import { fakeCall, fakeContext } from './fake-call.js';

interface Client {
  message(text: string): void;
}

class ChatHub extends Hub<Client> {}

const members = ['clients', 'groups', 'user', 'context'] as const;

describe('a hub', () => {
  for (const member of members) {
    it(`'${member}' throws a code in the constructor`, () => {
      class Early extends Hub {
        readonly early = this[member];
      }
      expect(() => new Early())
        .to.throw(HublineError, `'${member}'`)
        .with.property('code', 'HUB_NO_CALL');
    });
  }

  it('has the user and the context of the call that it is bound to', () => {
    const call = fakeCall(fakeContext('me', createUser({ id: 'ann' })));
    const hub = new ChatHub();
    bindHub(hub, call);
    expect(hub.user.id).to.equal('ann');
    expect(hub.context).to.equal(call.context);
  });

  it('sends within its call', async () => {
    const call = fakeCall();
    const hub = new ChatHub();
    bindHub(hub, call);
    await hub.clients.caller.message('hello');
    expect(call.sender.sent).to.deep.equal([
      {
        hub: call.descriptor,
        target: { kind: 'connections', names: ['me'], except: [] },
        method: 'message',
        args: ['hello'],
        call: call.context,
      },
    ]);
  });

  it('changes the groups of its caller', async () => {
    const call = fakeCall();
    const hub = new ChatHub();
    bindHub(hub, call);
    expect(await hub.groups.add('lobby')).to.equal('joined');
    expect(call.groups.changes).to.deep.equal(['chat: me joins lobby']);
  });

  it('makes its clients and groups once', () => {
    const hub = new ChatHub();
    bindHub(hub, fakeCall());
    expect(hub.clients).to.equal(hub.clients);
    expect(hub.groups).to.equal(hub.groups);
  });

  it('two instances have calls of their own', () => {
    const [first, second] = [new ChatHub(), new ChatHub()];
    bindHub(first, fakeCall(fakeContext('first')));
    bindHub(second, fakeCall(fakeContext('second')));
    expect([first.context.connectionId, second.context.connectionId]).to.deep.equal(['first', 'second']);
  });

  it('works behind the proxy of a container', async () => {
    const call = fakeCall();
    const hub = new Proxy(new ChatHub(), {});
    bindHub(hub, call);
    await hub.clients.all.message('hello');
    expect(call.sender.sent).to.have.length(1);
    expect(hub.context).to.equal(call.context);
  });

  it('has no members but those that it documents', () => {
    expect(Object.getOwnPropertyNames(Hub.prototype)).to.have.members([
      'constructor',
      'clients',
      'groups',
      'user',
      'context',
      'onConnected',
      'onReconnected',
      'onDisconnected',
    ]);
    expect(Reflect.ownKeys(new ChatHub())).to.deep.equal([]);
  });
});
