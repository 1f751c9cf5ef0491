import { HublineError } from '@hubline/core';
import { describeHub, describeHubs, type HubDescriptor } from '@hubline/core/internal/hubs/hub-descriptor.js';
import { expect } from 'chai';
import { decoratorMode } from './decorator-mode.js';
import * as hubs from './hubs.js';

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (HublineError.is(error)) return error.code;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function methodOf(hub: HubDescriptor, key: string) {
  const method = hub.methods.get(key);
  if (method === undefined) throw new Error(`no method ${key}`);
  return method;
}

describe(`hub decorators (${decoratorMode})`, () => {
  it('the mode is the one of the project', () => {
    expect(decoratorMode).to.equal(import.meta.url.includes('/legacy/') ? 'legacy' : 'standard');
  });

  it('a hub has the name that it was given, and is found without regard to case', () => {
    const hub = describeHub(hubs.RoomsHub);
    expect(hub).to.include({ name: 'Rooms', key: 'rooms', type: hubs.RoomsHub });
  });

  it('only decorated methods are there, under their wire names in lower case', () => {
    expect([...describeHub(hubs.RoomsHub).methods.keys()]).to.have.members([
      'join',
      'say',
      'roll',
      'add',
      'upload',
      'count',
    ]);
    expect(methodOf(describeHub(hubs.RoomsHub), 'add')).to.include({ name: 'add', property: 'sum' });
  });

  it('a signature tells how many arguments a method takes', () => {
    const signatures = [...describeHub(hubs.RoomsHub).methods.values()].map((method) => method.signature);
    expect(signatures).to.have.members([
      'join (1 argument)',
      'Say (2 arguments)',
      'roll (1 to 2 arguments)',
      'add (0 to 8 arguments)',
      'upload (2 arguments)',
      'count (1 argument)',
    ]);
  });

  it('an arity that is given counts, and else the length of the function', () => {
    const hub = describeHub(hubs.ShapesHub);
    const arityOf = (key: string) => [methodOf(hub, key).minArguments, methodOf(hub, key).maxArguments];
    expect(arityOf('untyped')).to.deep.equal([2, 2]);
    expect(arityOf('generic')).to.deep.equal([1, 1]);
    expect(arityOf('early')).to.deep.equal([2, 2]);
    expect(arityOf('tuple')).to.deep.equal([2, 2]);
    expect(arityOf('streams')).to.deep.equal([1, 4]);
  });

  it('a subclass has the methods of its base, and its own', () => {
    const hub = describeHub(hubs.LobbyHub);
    expect([...hub.methods.keys()]).to.include.members(['join', 'roll', 'leave']);
    expect([...hub.methods.values()].every((method) => method.hub === hub)).to.equal(true);
    expect([...describeHub(hubs.RoomsHub).methods.keys()]).not.to.include('leave');
  });

  it('a method that is declared again has its new name alone', () => {
    const hub = describeHub(hubs.LobbyHub);
    expect(hub.methods.has('say')).to.equal(false);
    expect(methodOf(hub, 'tell')).to.include({ name: 'tell', property: 'say' });
    expect([...describeHub(hubs.RoomsHub).methods.keys()])
      .to.include('say')
      .and.not.include('tell');
  });

  it('a name that an override gave up can be taken', () => {
    const hub = describeHub(hubs.ChangedHub);
    expect(methodOf(hub, 'change').property).to.equal('change');
    expect(methodOf(hub, 'one').property).to.equal('other');
  });

  it('which events are handled is told for each class, bases included', () => {
    expect(describeHub(hubs.RoomsHub).handles).to.deep.equal({
      connected: true,
      reconnected: false,
      disconnected: false,
    });
    expect(describeHub(hubs.LobbyHub).handles).to.deep.equal({
      connected: true,
      reconnected: false,
      disconnected: true,
    });
    expect(describeHub(hubs.SecondRoomsHub).handles).to.deep.equal({
      connected: false,
      reconnected: true,
      disconnected: false,
    });
  });

  it('a subclass without its own decorator is no hub', () => {
    expect(codeOf(() => describeHub(hubs.UndeclaredHub))).to.equal('HUB_NOT_A_HUB');
  });

  it('two hubs of one name are refused', () => {
    expect(codeOf(() => describeHubs([hubs.RoomsHub, hubs.SecondRoomsHub]))).to.equal('HUB_NAME_TAKEN');
  });

  it('two methods of one name are refused', () => {
    expect(codeOf(() => describeHub(hubs.TwinsHub))).to.equal('HUB_METHOD_TAKEN');
  });

  it('a name that does not fit into an address is refused', () => {
    expect(codeOf(() => describeHub(hubs.BadNameHub))).to.equal('HUB_NAME_INVALID');
  });

  it('the attributes of a class read as written, base first', () => {
    expect(hubs.tagged.allOf(describeHub(hubs.RoomsHub))).to.deep.equal(['base, first', 'base, second']);
    expect(hubs.tagged.allOf(describeHub(hubs.LobbyHub))).to.deep.equal(['base, first', 'base, second', 'sub']);
  });

  it('an override keeps the attributes of what it overrides, and adds its own', () => {
    const join = methodOf(describeHub(hubs.LobbyHub), 'join');
    expect(hubs.tagged.allOf(join)).to.deep.equal([
      'base, first',
      'base, second',
      'sub',
      'base method',
      'sub method, first',
      'sub method, second',
    ]);
    expect(hubs.tagged.of(join)).to.equal('sub method, second');
  });

  it('a base does not have the attributes of its subclass', () => {
    const join = methodOf(describeHub(hubs.RoomsHub), 'join');
    expect(hubs.tagged.allOf(join)).to.deep.equal(['base, first', 'base, second', 'base method']);
  });

  it('the nearest attribute of a method without one is that of its class', () => {
    const hub = describeHub(hubs.LobbyHub);
    expect(hubs.tagged.of(methodOf(hub, 'leave'))).to.equal('sub');
    expect(hubs.limited.of(methodOf(hub, 'leave'))).to.deep.equal({ perSecond: 1 });
    expect(hubs.limited.of(hub)).to.equal(undefined);
    expect(hubs.limited.allOf(hub)).to.deep.equal([]);
  });

  it('an attribute alone does not make a method callable', () => {
    expect(describeHub(hubs.RoomsHub).methods.has('helper')).to.equal(false);
  });

  it('the values of an attribute are one list, whenever they are asked for', () => {
    const join = methodOf(describeHub(hubs.LobbyHub), 'join');
    expect(hubs.tagged.allOf(join)).to.equal(hubs.tagged.allOf(join));
  });
});
