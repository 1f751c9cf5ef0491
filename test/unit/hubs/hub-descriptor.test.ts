import { hub, Hub, HublineError, hubMethod } from '@hubline/core';
import { hubAttribute } from '@hubline/core/internal/hubs/hub-attribute.js';
import { describeHub, describeHubs, unknownHub } from '@hubline/core/internal/hubs/hub-descriptor.js';
import { expect } from 'chai';

type Legacy = (target: object, name?: string | symbol, descriptor?: PropertyDescriptor) => void;

/** Applies a decorator as a compiler in legacy mode does. */
function applyLegacy(decorator: unknown, target: object, name?: string): void {
  const descriptor = name === undefined ? undefined : Object.getOwnPropertyDescriptor(target, name);
  if (name === undefined) (decorator as Legacy)(target);
  else (decorator as Legacy)(target, name, descriptor);
}

function errorOf(work: () => unknown): HublineError {
  try {
    work();
  } catch (error) {
    if (HublineError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const tagged = hubAttribute<string>('test-mixed');

describe('a hub descriptor', () => {
  it('a standard hub may extend a legacy one', () => {
    class Base extends Hub {
      say(_text: string): void {}
      join(): void {}
    }
    applyLegacy(hub('base'), Base);
    applyLegacy(tagged('base'), Base);
    applyLegacy(hubMethod('speak'), Base.prototype, 'say');
    applyLegacy(hubMethod(), Base.prototype, 'join');

    @hub('sub')
    class Sub extends Base {
      @tagged('sub') @hubMethod() override say(_text: string): void {}
    }

    expect([...describeHub(Base).methods.keys()]).to.have.members(['speak', 'join']);
    const sub = describeHub(Sub);
    expect([...sub.methods.keys()]).to.have.members(['say', 'join']);
    expect(tagged.allOf(sub.methods.get('say')!)).to.deep.equal(['base', 'sub']);
  });

  it('a legacy hub may extend a standard one', () => {
    @hub('base')
    class Base extends Hub {
      @tagged('base') @hubMethod('speak') say(_text: string): void {}
    }
    class Sub extends Base {
      leave(): void {}
    }
    expect(errorOf(() => describeHub(Sub)).code).to.equal('HUB_NOT_A_HUB');
    applyLegacy(hub('sub'), Sub);
    applyLegacy(hubMethod(), Sub.prototype, 'leave');

    const sub = describeHub(Sub);
    expect([...sub.methods.keys()]).to.have.members(['speak', 'leave']);
    expect(tagged.of(sub.methods.get('speak')!)).to.equal('base');
    expect([...describeHub(Base).methods.keys()]).to.deep.equal(['speak']);
  });

  it('an attribute of another copy of a package is the same attribute', () => {
    const copy = hubAttribute<string>('test-mixed');
    @tagged('value')
    @hub('copied')
    class CopiedHub extends Hub {}
    expect(copy.of(describeHub(CopiedHub))).to.equal('value');
  });

  it('hubs are found by their names in lower case', () => {
    @hub('Chat')
    class ChatHub extends Hub {}
    @hub('ops')
    class OpsHub extends Hub {}
    const hubs = describeHubs([ChatHub, OpsHub]);
    expect([...hubs.keys()]).to.deep.equal(['chat', 'ops']);
    expect(hubs.get('chat')?.type).to.equal(ChatHub);
  });

  it('a hub that is listed twice is refused', () => {
    @hub('twice')
    class TwiceHub extends Hub {}
    const error = errorOf(() => describeHubs([TwiceHub, TwiceHub]));
    expect(error).to.include({ code: 'HUB_NAME_TAKEN' });
    expect(error.details).to.deep.equal({ name: 'twice', first: 'TwiceHub', second: 'TwiceHub' });
  });

  it('names of methods that differ in case alone are refused', () => {
    @hub('twins')
    class TwinsHub extends Hub {
      @hubMethod() say(): void {}
      @hubMethod() SAY(): void {}
    }
    const error = errorOf(() => describeHub(TwinsHub));
    expect(error).to.include({ code: 'HUB_METHOD_TAKEN' });
    expect(error.details).to.deep.equal({ hub: 'twins', name: 'SAY', first: 'say', second: 'SAY' });
  });

  it('what is no class is no hub', () => {
    expect(errorOf(() => describeHub(undefined as never)).code).to.equal('HUB_NOT_A_HUB');
    expect(errorOf(() => describeHub({} as never)).code).to.equal('HUB_NOT_A_HUB');
    expect(errorOf(() => describeHub(Object as never)).code).to.equal('HUB_NOT_A_HUB');
  });

  for (const name of ['', 'a b', 'über', 'a/b', 'a.b', 'x'.repeat(101), 7]) {
    it(`${JSON.stringify(name)} is no name of a hub`, () => {
      @hub(name as string)
      class BadHub extends Hub {}
      expect(errorOf(() => describeHub(BadHub)).code).to.equal('HUB_NAME_INVALID');
    });
  }

  it('a name of a hub has up to 100 letters, digits, underscores and hyphens', () => {
    const name = 'aZ09_-'.padEnd(100, 'x');
    @hub(name)
    class LongHub extends Hub {}
    expect(describeHub(LongHub).name).to.equal(name);
  });

  for (const arity of [[2, 1], [-1, 1], [0.5, 1], [1], [1, 2, 3], [0, Infinity], ['0', '1'], 2]) {
    it(`${JSON.stringify(arity)} is no arity`, () => {
      class BadHub extends Hub {
        roll(): void {}
      }
      applyLegacy(hub('bad'), BadHub);
      applyLegacy(hubMethod({ arity: arity as never }), BadHub.prototype, 'roll');
      expect(errorOf(() => describeHub(BadHub)).code).to.equal('HUB_ARITY_INVALID');
    });
  }

  it('a decorator under @hubMethod that wraps the method is what is counted', () => {
    const wrap = (_method: unknown, _context: unknown): never => ((...args: unknown[]) => args) as never;
    @hub('wrapped')
    class WrappedHub extends Hub {
      @hubMethod() @wrap inside(_a: string, _b: string): void {}
      @wrap @hubMethod() outside(_a: string, _b: string): void {}
    }
    const { methods } = describeHub(WrappedHub);
    expect(methods.get('inside')?.maxArguments).to.equal(0);
    expect(methods.get('outside')?.maxArguments).to.equal(2);
  });

  it('an unknown hub has the name as it was sent, and nothing else', () => {
    const hub = unknownHub('NoSuchHub');
    expect(hub).to.include({ name: 'NoSuchHub', key: 'nosuchhub', type: undefined });
    expect(hub.methods.size).to.equal(0);
    expect(hub.handles).to.deep.equal({ connected: false, reconnected: false, disconnected: false });
    expect(tagged.allOf(hub)).to.deep.equal([]);
  });
});

describe('a misplaced decorator', () => {
  const metadata = {};
  const standard = { kind: 'method', name: 'say', static: false, private: false, metadata };
  const misplaced: readonly [string, unknown, readonly unknown[]][] = [
    ['@hub on a method', hub('a'), [() => undefined, standard]],
    ['@hub on a legacy method', hub('a'), [{}, 'say', { value: () => undefined }]],
    ['@hubMethod on a class', hubMethod(), [class {}, { kind: 'class', name: 'A', metadata }]],
    ['@hubMethod on a legacy class', hubMethod(), [class {}]],
    ['@hubMethod on a static method', hubMethod(), [() => undefined, { ...standard, static: true }]],
    ['@hubMethod on a private method', hubMethod(), [() => undefined, { ...standard, private: true }]],
    ['@hubMethod on a method named by a symbol', hubMethod(), [() => undefined, { ...standard, name: Symbol('say') }]],
    ['@hubMethod on a getter', hubMethod(), [() => undefined, { ...standard, kind: 'getter' }]],
    ['@hubMethod on a field', hubMethod(), [undefined, { ...standard, kind: 'field' }]],
    ['@hubMethod on a legacy field', hubMethod(), [{}, 'say', undefined]],
    ['@hubMethod on a legacy getter', hubMethod(), [{}, 'say', { get: () => undefined }]],
    ['@hubMethod on a legacy static method', hubMethod(), [class {}, 'say', { value: () => undefined }]],
    ['@hubMethod on a legacy method named by a symbol', hubMethod(), [{}, Symbol('say'), { value: () => undefined }]],
    ['@hubMethod without metadata', hubMethod(), [() => undefined, { ...standard, metadata: undefined }]],
    ['an attribute on a field', tagged('a'), [undefined, { ...standard, kind: 'field' }]],
  ];
  for (const [name, decorator, args] of misplaced) {
    it(`${name} throws a code`, () => {
      const error = errorOf(() => (decorator as (...args: readonly unknown[]) => void)(...args));
      expect(error.code).to.equal('HUB_DECORATOR_MISPLACED');
    });
  }
});
