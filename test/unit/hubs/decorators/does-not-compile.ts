import { hub, Hub, hubMethod } from '@hubline/core';
import { hubAttribute } from '@hubline/core/internal/hubs/hub-attribute.js';

const tagged = hubAttribute<string>('test-tag');
const symbol = Symbol('method');

/** Compiled and never called: each line below a comment must be an error, in both modes. */
export function doesNotCompile(): unknown[] {
  class Arities extends Hub {
    // @ts-expect-error an optional parameter needs an arity
    @hubMethod() optional(sides: number, times?: number): void {
      void [sides, times];
    }
    // @ts-expect-error so does a default
    @hubMethod('def') withDefault(sides: number, times = 1): void {
      void [sides, times];
    }
    // @ts-expect-error and a rest parameter
    @hubMethod({ name: 'rest' }) rest(...sides: number[]): void {
      void sides;
    }
    // @ts-expect-error the arity is [1, 2]
    @hubMethod({ arity: [1, 3] }) tooMany(sides: number, times?: number): void {
      void [sides, times];
    }
    // @ts-expect-error the arity is [1, 2]
    @hubMethod({ arity: [0, 2] }) tooFew(sides: number, times?: number): void {
      void [sides, times];
    }
    // @ts-expect-error the least of a rest parameter is 1
    @hubMethod({ arity: [0, 9] }) restAfter(first: string, ...others: string[]): void {
      void [first, others];
    }
    // @ts-expect-error an arity has two numbers
    @hubMethod({ arity: [1] }) half(sides: number): void {
      void sides;
    }
    // @ts-expect-error streams come last
    @hubMethod() streamFirst(bytes: AsyncIterable<Uint8Array>, name: string): void {
      void [bytes, name];
    }
    // @ts-expect-error streams come last
    @hubMethod({ arity: [1, 2] }) streamThen(bytes: AsyncIterable<number>, name?: string): void {
      void [bytes, name];
    }
  }

  class Places extends Hub {
    // @ts-expect-error not on a static method
    @hubMethod() static ofClass(): void {}
    // @ts-expect-error not on a method named by a symbol
    @hubMethod() [symbol](): void {}
    // @ts-expect-error not on a getter
    @hubMethod() get property(): string {
      return '';
    }
    // @ts-expect-error not on an accessor
    @hubMethod() accessor written = '';
    // @ts-expect-error not on a private method
    @hubMethod() #hidden(): void {}
    callsHidden(): void {
      this.#hidden();
    }
    // @ts-expect-error not on a field
    @hubMethod() field = (): void => {};
    // @ts-expect-error not on a field of another type
    @hubMethod() count = 0;
    // @ts-expect-error an attribute neither
    @tagged('static') static tagged(): void {}
    // @ts-expect-error nor here
    @tagged('field') taggedField = 0;
    // @ts-expect-error the value has a type
    @tagged(1) ofNumber(): void {}
    // @ts-expect-error @hub is for classes
    @hub('method') method(): void {}
  }

  class NoHub {
    // @ts-expect-error not outside a hub
    @hubMethod() say(text: string): void {
      void text;
    }
    // @ts-expect-error an attribute neither
    @tagged('outside') other(): void {}
  }

  // @ts-expect-error not outside a hub
  @hub('plain')
  class Plain {}

  // @ts-expect-error an attribute neither
  @tagged('plain')
  class PlainTagged {}

  // @ts-expect-error @hubMethod is for methods
  @hubMethod()
  class Method extends Hub {}

  // @ts-expect-error the name is required
  @hub()
  class Nameless extends Hub {}

  return [Arities, Places, NoHub, Plain, PlainTagged, Method, Nameless];
}
