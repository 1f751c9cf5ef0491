import { createUser, Hub, hub, hubMethod, authorize, type HubPipelineModule, type User } from '@hubline/core';
import { failure, testServer } from '@hubline/core/testing';
import { expect } from 'chai';

interface NoteClient {
  note(text: string): void;
}

@hub('notes')
class NotesHub extends Hub<NoteClient> {
  static readonly told: string[] = [];
  override async onReconnected(): Promise<void> {
    NotesHub.told.push('reconnected');
  }
  @authorize({ roles: ['admin'] }) @hubMethod() wipe(): string {
    return 'wiped';
  }
}

describe('a connection that resumes', () => {
  beforeEach(() => NotesHub.told.splice(0));

  it('has the roles of its user as they are now', async () => {
    let roles = ['admin'];
    await using app = testServer({
      hubs: [NotesHub],
      authenticate: (): User => createUser({ id: 'ann', roles }),
    });
    const ann = await app.connect(NotesHub);
    expect(await ann.invoke('wipe')).to.equal('wiped');
    await ann.drop();
    roles = ['guest'];
    await ann.resume();
    expect(await failure(ann.invoke('wipe'))).to.be.an('error');
  });

  it('is not told by a module that goes on after its deadline', async () => {
    let goOn: (() => void) | undefined;
    const slow: HubPipelineModule = {
      name: 'slow',
      async reconnect(_context, next) {
        if (goOn === undefined) await new Promise<void>((resolve) => (goOn = resolve));
        await next();
      },
    };
    await using app = testServer({ hubs: [NotesHub], modules: [slow] });
    const ann = await app.connect(NotesHub);
    await ann.drop();
    const refused = failure(ann.resume());
    while (goOn === undefined) await app.clock.advance(0);
    await app.clock.advance(6_000);
    expect(await refused).to.have.property('status', 503);
    await ann.resume();
    expect(NotesHub.told).to.deep.equal(['reconnected']);
    goOn();
    await app.clock.advance(0);
    expect(NotesHub.told).to.deep.equal(['reconnected']);
  });
});

describe('sends from outside', () => {
  it('arrive in the order in which they were made, from the first use on', async () => {
    await using app = testServer({ hubs: [NotesHub] });
    const ann = await app.connect(NotesHub);
    const { clients } = app.hub(NotesHub);
    void clients.all.note('1');
    void clients.all.note('2');
    await Promise.resolve();
    void clients.all.note('3');
    await app.clock.advance(0);
    expect(ann.all('note')).to.deep.equal([['1'], ['2'], ['3']]);
  });

  it('arrive in their order also when they start the server', async () => {
    await using app = testServer({ hubs: [NotesHub] });
    const { clients, groups } = app.hub(NotesHub);
    expect(await groups.add('room', { connectionId: 'nobody' })).to.equal('gone');
    await clients.all.note('nobody hears this');
    expect(() => app.pipeline.add({ name: 'late', connect: (_context, next) => next() })).to.throw();
  });
});

describe('a user without an id that is a text', () => {
  it('is a coded error of the server, and no riddle for the client', async () => {
    await using app = testServer({
      hubs: [NotesHub],
      authenticate: () => ({ isAuthenticated: true, name: 'ann', roles: [], claims: {} }) as unknown as User,
    });
    expect(await failure(app.connect(NotesHub))).to.have.property('status', 500);
    const [line] = app.log.filter(({ level }) => level === 'error');
    expect(line?.details).to.have.nested.property('error.cause.code', 'HUB_USER_INVALID');
  });
});
