import {
  AuthorizeModule,
  hub,
  Hub,
  HublineError,
  hubMethod,
  HubServer,
  type HubPipelineModule,
  RejoiningGroupsModule,
} from '@hubline/core';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { atTestEnd } from '../../support/cleanup.js';

@hub('chat')
class ChatHub extends Hub {
  @hubMethod('Say') say(text: string) {
    return text;
  }
  @hubMethod() leave() {
    return null;
  }
}

@hub('ops')
class OpsHub extends Hub {}

class AuditModule implements HubPipelineModule {
  readonly name: string;
  constructor(name = 'audit') {
    this.name = name;
  }
  invoke: HubPipelineModule['invoke'] = (_context, next) => next();
}

class LoudAuditModule extends AuditModule {}

const passing = (name: string): HubPipelineModule => ({ name, invoke: (_context, next) => next() });

function serverOf(...hubs: (typeof ChatHub)[]): HubServer {
  const server = new HubServer({ hubs, keys: ['a key'] });
  atTestEnd(() => server.stop({ graceMs: 0 }));
  return server;
}

/** Outermost first, as a call meets them. */
function namesOf({ pipeline }: HubServer): readonly string[] {
  const [chain] = pipeline.inspect().chains.filter(({ stage }) => stage === 'invoke');
  return (chain?.modules ?? []).map(({ name }) => name);
}

function expectCode(work: () => unknown, code: string, text: string): void {
  let thrown: unknown;
  try {
    work();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).to.be.instanceOf(HublineError).with.property('code', code);
  expect((thrown as Error).message).to.include(text);
}

describe('the modules of a pipeline', () => {
  it('are in the order in which they were added, before the built-in ones', () => {
    const server = serverOf(ChatHub);
    server.pipeline.add(passing('one'), passing('two')).add(passing('three'));
    expect(namesOf(server)).to.deep.equal(['one', 'two', 'three', 'authorize']);
  });

  it('are found by name and by class, also by a base class', () => {
    const { pipeline } = serverOf(ChatHub);
    pipeline.add(new LoudAuditModule());
    for (const reference of [
      'audit',
      AuditModule,
      LoudAuditModule,
      'authorize',
      RejoiningGroupsModule,
      AuthorizeModule,
    ])
      expect(pipeline.has(reference)).to.equal(true);
    class OtherModule extends AuditModule {}
    for (const reference of ['Audit', 'nobody', '', OtherModule]) expect(pipeline.has(reference)).to.equal(false);
  });

  it('can be replaced by name and by class, and stay at their place', () => {
    const server = serverOf(ChatHub);
    server.pipeline.add(passing('one'), new AuditModule(), passing('three'));
    server.pipeline.replace('one', passing('eins')).replace(AuditModule, passing('zwei'));
    expect(namesOf(server)).to.deep.equal(['eins', 'zwei', 'three', 'authorize']);
  });

  it('can be replaced by one of the same name', () => {
    const { pipeline } = serverOf(ChatHub);
    pipeline.add(new AuditModule());
    pipeline.replace('audit', passing('audit'));
    expect(pipeline.has(AuditModule)).to.equal(false);
    expect(pipeline.has('audit')).to.equal(true);
  });

  it('can stand in for a built-in one, and are not built in then', () => {
    const { pipeline } = serverOf(ChatHub);
    pipeline.replace(RejoiningGroupsModule, { name: 'store', rejoiningGroups: () => [] });
    const chain = pipeline.inspect().chains.find(({ stage }) => stage === 'rejoiningGroups');
    expect(chain?.modules).to.deep.equal([{ name: 'store', builtIn: false }]);
  });

  const refused: readonly (readonly [what: string, module: unknown, code: string, text: string])[] = [
    ['null', null, 'HUB_MODULE_NAME_INVALID', 'needs a name'],
    ['a function', () => undefined, 'HUB_MODULE_NAME_INVALID', 'needs a name'],
    ['an object without a name', { invoke: () => null }, 'HUB_MODULE_NAME_INVALID', 'needs a name'],
    ['one with an empty name', { name: '', invoke: () => null }, 'HUB_MODULE_NAME_INVALID', 'needs a name'],
    ['one with a name that is no text', { name: 7, invoke: () => null }, 'HUB_MODULE_NAME_INVALID', 'needs a name'],
    ['one whose name is taken', { name: 'audit', invoke: () => null }, 'HUB_MODULE_NAME_TAKEN', "called 'audit'"],
    ['one with a built-in name', { name: 'authorize', invoke: () => null }, 'HUB_MODULE_NAME_TAKEN', "'authorize'"],
    ['one without a stage', { name: 'idle' }, 'HUB_MODULE_EMPTY', 'authorizeConnect, connect, rejoiningGroups'],
    ['one with a mistyped stage', { name: 'idle', onInvoke: () => null }, 'HUB_MODULE_EMPTY', "'idle' has no stage"],
    ['one whose stage is no function', { name: 'odd', invoke: true }, 'HUB_MODULE_STAGE_INVALID', "'invoke' of"],
  ];
  for (const [what, module, code, text] of refused) {
    it(`cannot be ${what}: ${code}`, () => {
      const server = serverOf(ChatHub);
      server.pipeline.add(passing('first'), new AuditModule());
      expectCode(() => server.pipeline.add(module as HubPipelineModule), code, text);
      expectCode(() => server.pipeline.replace('first', module as HubPipelineModule), code, text);
      expect(namesOf(server)).to.deep.equal(['first', 'audit', 'authorize']);
    });
  }

  it('that are not there cannot be replaced: HUB_MODULE_UNKNOWN says which are', () => {
    const { pipeline } = serverOf(ChatHub);
    pipeline.add(passing('one'));
    const known = 'There are: one, authorize, rejoining-groups.';
    expectCode(() => pipeline.replace('nobody', passing('two')), 'HUB_MODULE_UNKNOWN', `'nobody'. ${known}`);
    expectCode(() => pipeline.replace(AuditModule, passing('two')), 'HUB_MODULE_UNKNOWN', `'AuditModule'. ${known}`);
  });

  it('cannot be changed after the start: HUB_PIPELINE_FROZEN', async () => {
    const server = serverOf(ChatHub);
    server.pipeline.add(passing('one'));
    await server.start();
    expectCode(() => server.pipeline.add(passing('two')), 'HUB_PIPELINE_FROZEN', 'Add modules before');
    expectCode(() => server.pipeline.replace('one', passing('two')), 'HUB_PIPELINE_FROZEN', 'Add modules before');
    expect(namesOf(server)).to.deep.equal(['one', 'authorize']);
    await server.start();
  });
});

describe('the inspection of a pipeline', () => {
  it('lists every chain of every hub as data', () => {
    const { pipeline } = serverOf(ChatHub, OpsHub as never);
    pipeline.add({ name: 'greeter', connect: (_context, next) => next(), invoke: (_context, next) => next() });
    const builtIn = (name: string) => ({ name, builtIn: true });
    const greeter = { name: 'greeter', builtIn: false };
    expect(pipeline.inspect().chains).to.deep.equal([
      { hub: 'chat', stage: 'authorizeConnect', modules: [builtIn('authorize')] },
      { hub: 'chat', stage: 'connect', modules: [greeter] },
      { hub: 'chat', stage: 'rejoiningGroups', modules: [builtIn('rejoining-groups')] },
      { hub: 'chat', stage: 'reconnect', modules: [] },
      { hub: 'chat', method: 'Say', stage: 'invoke', modules: [greeter, builtIn('authorize')] },
      { hub: 'chat', method: 'leave', stage: 'invoke', modules: [greeter, builtIn('authorize')] },
      { hub: 'chat', stage: 'send', modules: [] },
      { hub: 'chat', stage: 'disconnect', modules: [] },
      { hub: 'ops', stage: 'authorizeConnect', modules: [builtIn('authorize')] },
      { hub: 'ops', stage: 'connect', modules: [greeter] },
      { hub: 'ops', stage: 'rejoiningGroups', modules: [builtIn('rejoining-groups')] },
      { hub: 'ops', stage: 'reconnect', modules: [] },
      { hub: 'ops', stage: 'send', modules: [] },
      { hub: 'ops', stage: 'disconnect', modules: [] },
    ]);
  });

  it('reads as a table, as a text and in a debugger', () => {
    const { pipeline } = serverOf(ChatHub);
    pipeline.add({ name: 'greeter', connect: (_context, next) => next(), invoke: (_context, next) => next() });
    const table = [
      'hub         stage             modules, outermost first (built-in)',
      'chat        authorizeConnect  (authorize)',
      'chat        connect           greeter',
      'chat        rejoiningGroups   (rejoining-groups)',
      'chat        reconnect         –',
      'chat.Say    invoke            greeter → (authorize)',
      'chat.leave  invoke            greeter → (authorize)',
      'chat        send              –',
      'chat        disconnect        –',
    ].join('\n');
    expect(String(pipeline.inspect())).to.equal(table);
    expect(inspect(pipeline.inspect())).to.equal(table);
  });

  it('is the same after the start', async () => {
    const server = serverOf(ChatHub);
    server.pipeline.add(passing('one'));
    const before = String(server.pipeline.inspect());
    await server.start();
    expect(String(server.pipeline.inspect())).to.equal(before);
  });
});
