import { inspect } from 'node:util';
import { HublineError, type SendTarget } from '@hubline/core';
import { CallerSenderClients, SenderClients } from '@hubline/core/internal/hubs/hub-clients.js';
import { unknownHub } from '@hubline/core/internal/hubs/hub-descriptor.js';
import { expect } from 'chai';
import { fakeContext, NotingSender } from './fake-call.js';

interface Client {
  ping(): void;
  message(from: string, text: string): void;
}

const hub = unknownHub('chat');

function callerClients() {
  const sender = new NotingSender();
  return { sender, clients: new CallerSenderClients<Client>(hub, sender, fakeContext('me')) };
}

describe('the clients of a hub', () => {
  const targets: readonly [string, (clients: CallerSenderClients<Client>) => { ping(): Promise<void> }, SendTarget][] =
    [
      ['all', (c) => c.all, { kind: 'all', names: [], except: [] }],
      ['allExcept one', (c) => c.allExcept('a'), { kind: 'all', names: [], except: ['a'] }],
      ['allExcept some', (c) => c.allExcept(['a', 'b']), { kind: 'all', names: [], except: ['a', 'b'] }],
      ['allExcept nobody', (c) => c.allExcept([]), { kind: 'all', names: [], except: [] }],
      ['caller', (c) => c.caller, { kind: 'connections', names: ['me'], except: [] }],
      ['others', (c) => c.others, { kind: 'all', names: [], except: ['me'] }],
      ['client', (c) => c.client('a'), { kind: 'connections', names: ['a'], except: [] }],
      ['clients', (c) => c.clients(['a', 'b']), { kind: 'connections', names: ['a', 'b'], except: [] }],
      ['group', (c) => c.group('g'), { kind: 'groups', names: ['g'], except: [] }],
      ['group except', (c) => c.group('g', { except: 'a' }), { kind: 'groups', names: ['g'], except: ['a'] }],
      ['groups', (c) => c.groups(['g', 'h']), { kind: 'groups', names: ['g', 'h'], except: [] }],
      [
        'groups except',
        (c) => c.groups(['g'], { except: ['a', 'b'] }),
        { kind: 'groups', names: ['g'], except: ['a', 'b'] },
      ],
      ['othersInGroup', (c) => c.othersInGroup('g'), { kind: 'groups', names: ['g'], except: ['me'] }],
      ['othersInGroups', (c) => c.othersInGroups(['g', 'h']), { kind: 'groups', names: ['g', 'h'], except: ['me'] }],
      ['user', (c) => c.user('ann'), { kind: 'users', names: ['ann'], except: [] }],
      ['users', (c) => c.users(['ann', 'bob']), { kind: 'users', names: ['ann', 'bob'], except: [] }],
      ['no groups', (c) => c.groups([]), { kind: 'groups', names: [], except: [] }],
    ];
  for (const [name, pick, target] of targets) {
    it(`'${name}' is the target that it says`, async () => {
      const { sender, clients } = callerClients();
      await pick(clients).ping();
      expect(sender.targets).to.deep.equal([target]);
    });
  }

  const wrong: readonly [string, (clients: CallerSenderClients<Client>) => unknown, string][] = [
    ['an empty connection', (c) => c.client(''), 'connection'],
    ['an empty connection among others', (c) => c.clients(['a', '']), 'connection'],
    ['a text instead of a list', (c) => c.clients('abc' as never), 'connection'],
    ['an empty group', (c) => c.group(''), 'group'],
    ['a group that is a number', (c) => c.othersInGroup(1 as never), 'group'],
    ['no group', (c) => c.group(undefined as never), 'group'],
    ['an empty group among others', (c) => c.othersInGroups(['']), 'group'],
    ['an anonymous user', (c) => c.user(''), 'user'],
    ['an anonymous user among others', (c) => c.users(['ann', '']), 'user'],
    ['an empty exception', (c) => c.allExcept(''), 'connection'],
    ['an empty exception of a group', (c) => c.group('g', { except: [''] }), 'connection'],
  ];
  for (const [name, pick, kind] of wrong) {
    it(`${name} is refused`, () => {
      expect(() => pick(callerClients().clients))
        .to.throw(HublineError, `A ${kind} `)
        .with.property('code', 'HUB_TARGET_INVALID');
    });
  }

  it('a list that the application changes later is not changed with it', async () => {
    const { sender, clients } = callerClients();
    const ids = ['a'];
    const target = clients.clients(ids);
    ids.push('b');
    await target.ping();
    expect(sender.targets[0]?.names).to.deep.equal(['a']);
  });

  it('a send from outside belongs to no call', async () => {
    const sender = new NotingSender();
    await new SenderClients<Client>(hub, sender, undefined).all.message('ann', 'hello');
    expect(sender.sent[0]).to.include({ method: 'message', call: undefined });
    expect(sender.sent[0]?.args).to.deep.equal(['ann', 'hello']);
  });
});

describe('a client proxy', () => {
  it('gives the promise of the sender as it is', () => {
    const { sender, clients } = callerClients();
    expect(clients.all.ping()).to.equal(sender.answer);
  });

  it('sends methods of any name', async () => {
    const { sender, clients } = callerClients();
    const all = clients.all as unknown as Record<string, () => Promise<void>>;
    await all['odd-name']?.();
    await all['send']?.();
    await all['target']?.();
    expect(sender.sent.map(({ method }) => method)).to.deep.equal(['odd-name', 'send', 'target']);
  });

  it('can be awaited, logged, encoded and compared without sending anything', async () => {
    const { sender, clients } = callerClients();
    const proxy = await (clients.group('g') as unknown);
    expect(proxy).to.be.an('object');
    expect(inspect(proxy)).to.equal('[clients of a hub]');
    expect(JSON.stringify({ proxy })).to.equal('{"proxy":{}}');
    expect({ ...(proxy as object) }).to.deep.equal({});
    expect(sender.sent).to.deep.equal([]);
  });

  for (const name of ['then', 'toJSON', 'constructor', 'toString', 'valueOf', 'inspect', 'ask', Symbol.iterator]) {
    it(`has no ${String(name)}`, () => {
      const { clients } = callerClients();
      expect(Reflect.get(clients.all, name)).to.equal(undefined);
      expect(Reflect.has(clients.all, name)).to.equal(false);
    });
  }

  it('cannot be written to', () => {
    const { clients } = callerClients();
    expect(() => Object.assign(clients.all, { sender: undefined })).to.throw(TypeError);
  });
});
