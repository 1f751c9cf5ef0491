import { authorize, AuthorizeModule, createUser, hub, Hub, hubMethod, type User } from '@hubline/core';
import { failure, RequestRefused, testServer } from '@hubline/core/testing';
import { expect } from 'chai';

@hub('open')
class OpenHub extends Hub {
  @hubMethod() free() {
    return 'free';
  }
  @hubMethod() @authorize() members() {
    return 'members';
  }
  @hubMethod() @authorize({ roles: ['admin', 'owner'] }) admins() {
    return 'admins';
  }
  @hubMethod() @authorize({ users: ['ann', 'bob'] }) named() {
    return 'named';
  }
  @hubMethod() @authorize({ users: ['ann'], roles: ['admin'] }) both() {
    return 'both';
  }
  @hubMethod() @authorize({ roles: ['admin'] }) @authorize({ roles: ['night'] }) allRules() {
    return 'allRules';
  }
  @hubMethod() @authorize({ roles: [] }) nobody() {
    return 'nobody';
  }
}

@hub('closed')
@authorize({ roles: ['staff'] })
class ClosedHub extends Hub {
  @hubMethod() any() {
    return 'any';
  }
  @hubMethod() @authorize({ users: ['ann'] }) ann() {
    return 'ann';
  }
}

const user = (id: string, ...roles: readonly string[]) => createUser({ id, roles });
const nameOf = (one: User | undefined) => (one === undefined ? 'nobody known' : `${one.id} (${one.roles.join(', ')})`);

type OpenMethod = 'free' | 'members' | 'admins' | 'named' | 'both' | 'allRules' | 'nobody';

const calls: readonly (readonly [who: User | undefined, allowed: readonly OpenMethod[]])[] = [
  [undefined, ['free']],
  [user('zoe'), ['free', 'members']],
  [user('zoe', 'owner'), ['free', 'members', 'admins']],
  [user('zoe', 'Admin'), ['free', 'members']],
  [user('ann'), ['free', 'members', 'named']],
  [user('Ann'), ['free', 'members']],
  [user('ann', 'admin'), ['free', 'members', 'admins', 'named', 'both']],
  [user('bob', 'admin', 'night'), ['free', 'members', 'admins', 'named', 'allRules']],
];
const methods: readonly OpenMethod[] = ['free', 'members', 'admins', 'named', 'both', 'allRules', 'nobody'];

describe('@authorize', () => {
  for (const [who, allowed] of calls) {
    it(`lets ${nameOf(who)} call ${allowed.join(', ')}, and nothing else`, async () => {
      await using app = testServer({ hubs: [OpenHub] });
      const client = await app.connect(OpenHub, { user: who });
      for (const method of methods) {
        if (allowed.includes(method)) expect(await client.invoke(method)).to.equal(method);
        else {
          const text = `There was an error invoking Hub method 'open.${method}'.`;
          expect(await failure(client.invoke(method)), method).to.have.property('message', text);
        }
      }
    });
  }

  it('of a call tells the caller so with detailed errors', async () => {
    await using app = testServer({ hubs: [OpenHub], detailedErrors: true });
    const client = await app.connect(OpenHub);
    expect(await failure(client.invoke('admins'))).to.have.property(
      'message',
      'Caller is not authorized to invoke the admins method on open.',
    );
  });

  const connects: readonly (readonly [who: User | undefined, status: number])[] = [
    [undefined, 401],
    [user('ann'), 403],
    [user('ann', 'Staff'), 403],
    [user('ann', 'staff'), 200],
  ];
  for (const [who, status] of connects) {
    it(`on a hub answers ${status} to ${nameOf(who)} who connects`, async () => {
      await using app = testServer({ hubs: [ClosedHub] });
      const connecting = app.connect(ClosedHub, { user: who });
      if (status === 200) expect(await (await connecting).invoke('any')).to.equal('any');
      else
        expect(await failure(connecting))
          .to.be.instanceOf(RequestRefused)
          .with.property('status', status);
    });
  }

  it('on a hub holds for its methods too, beside what stands on them', async () => {
    await using app = testServer({ hubs: [ClosedHub] });
    const ann = await app.connect(ClosedHub, { user: user('ann', 'staff') });
    const bob = await app.connect(ClosedHub, { user: user('bob', 'staff') });
    expect(await ann.invoke('ann')).to.equal('ann');
    expect(await bob.invoke('any')).to.equal('any');
    await failure(bob.invoke('ann'));
  });

  it('on a hub holds for its calls, where a client does not list the hub', async () => {
    await using app = testServer({ hubs: [OpenHub, ClosedHub] });
    const zoe = await app.connect(OpenHub, { user: user('zoe') });
    expect(await failure(zoe.callHub('closed', 'any', []))).to.be.instanceOf(Error);
    const ann = await app.connect(OpenHub, { user: user('ann', 'staff') });
    expect(await ann.callHub('closed', 'any', [])).to.equal('any');
  });

  it('on one of two hubs leaves the other one to the client', async () => {
    await using app = testServer({ hubs: [OpenHub, ClosedHub] });
    const zoe = await app.connect(OpenHub, { user: user('zoe'), hubs: [ClosedHub] });
    expect(await zoe.invoke('free')).to.equal('free');
  });

  it('is seen by every other module, as HUB_NOT_AUTHORIZED', async () => {
    const seen: unknown[] = [];
    const watcher = {
      name: 'watcher',
      async invoke(_context: unknown, next: () => unknown) {
        try {
          return (await next()) as null;
        } catch (error) {
          seen.push((error as { code?: unknown }).code);
          throw error;
        }
      },
    };
    await using app = testServer({ hubs: [OpenHub], modules: [watcher] });
    await failure((await app.connect(OpenHub)).invoke('members'));
    expect(seen).to.deep.equal(['HUB_NOT_AUTHORIZED']);
  });

  it('means nothing where its module has been replaced', async () => {
    await using app = testServer({ hubs: [ClosedHub] });
    app.pipeline.replace(AuthorizeModule, { name: 'open-house', authorizeConnect: (_context, next) => next() });
    expect(await (await app.connect(ClosedHub)).invoke('ann')).to.equal('ann');
  });
});
