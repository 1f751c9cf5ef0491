import { readJson, writeJson, writeJsonList } from '@hubline/core/internal/json.js';
import { HublineError } from '@hubline/core';
import { expect } from 'chai';
import fc from 'fast-check';
import { effort } from '../support/property.js';

const errorOf = (work: () => unknown): HublineError => {
  try {
    work();
  } catch (error) {
    if (HublineError.is(error)) return error;
    throw error;
  }
  return expect.fail('it does not throw');
};

/** Values of all kinds that JSON has a form for, dates, `undefined` and odd objects included. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.boolean(), fc.constantFrom(null, undefined), fc.date()),
    fc.array(tie('value')),
    fc.dictionary(fc.string(), tie('value')),
    tie('value').map((inner) => ({ toJSON: () => inner })),
    tie('value').map((inner) => Object.assign(Object.create({ inherited: inner }) as object, { own: inner })),
    tie('value').map((inner) => new Map([['entry', inner]])),
    fc.constantFrom(Symbol('a symbol'), () => 'a function', Object(1), Object('text'), /a pattern/),
  ),
}));

describe('writeJson', () => {
  it('writes what JSON.stringify does, and null for what it writes nothing for', () => {
    fc.assert(
      fc.property(value, (one) => {
        expect(writeJson(one, 'value')).to.equal(JSON.stringify(one) ?? 'null');
        expect(writeJsonList([one, one], 'values')).to.equal(JSON.stringify([one, one]));
      }),
      effort(),
    );
  });

  it('writes bytes as base64, wherever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array(), value, (bytes, beside) => {
        const text = Buffer.from(bytes).toString('base64');
        const views = [bytes, Buffer.from(bytes), bytes.slice().buffer, new DataView(bytes.slice().buffer)];
        for (const view of views) {
          expect(writeJson(view, 'value')).to.equal(JSON.stringify(text));
          const expected = JSON.stringify({ deep: [{ beside, text }] });
          expect(writeJson({ deep: [{ beside, text: view }] }, 'value')).to.equal(expected);
        }
      }),
      effort(50),
    );
  });

  it('writes the part of a buffer that a view shows, and no more', () => {
    const { buffer } = new Uint8Array([1, 2, 3, 4]);
    expect(writeJson(new Uint8Array(buffer, 1, 2), 'value')).to.equal('"AgM="');
  });

  it('writes safe bigints as numbers, and refuses others with the place where they are', () => {
    expect(writeJson({ a: 5n, b: [BigInt(Number.MIN_SAFE_INTEGER)] }, 'value')).to.equal(
      '{"a":5,"b":[-9007199254740991]}',
    );
    const error = errorOf(() => writeJsonList([1, { list: [2n ** 53n] }], 'arguments'));
    expect(error.code).to.equal('HUB_CANNOT_ENCODE');
    expect(error.message).to.contain('arguments[1].list[0]');
  });

  it('asks an object for its JSON once', () => {
    let asked = 0;
    const inner = { toJSON: () => expect.fail('it is asked again') };
    const outer = {
      toJSON() {
        asked++;
        return inner;
      },
    };
    expect(writeJson(outer, 'value')).to.equal('{}');
    expect(asked).to.equal(1);
  });

  it('refuses what contains itself, with the place where it does', () => {
    const room: Record<string, unknown> = {};
    room.members = [{ room }];
    const error = errorOf(() => writeJson(room, 'result'));
    expect(error.code).to.equal('HUB_CANNOT_ENCODE');
    expect(error.message).to.contain('result.members[0].room').and.to.contain('contains itself');
  });

  it('writes what is there twice and does not contain itself', () => {
    const shared = { a: 1 };
    expect(writeJson([shared, shared], 'value')).to.equal('[{"a":1},{"a":1}]');
  });

  it('refuses what is nested without end', () => {
    let nested: unknown = 1;
    for (let depth = 0; depth < 200_000; depth++) nested = [nested];
    expect(errorOf(() => writeJson(nested, 'value')).code).to.equal('HUB_CANNOT_ENCODE');
  });

  for (const thrown of [new Error('broken'), 'broken', null, undefined])
    it(`refuses an object whose toJSON throws ${String(thrown)}`, () => {
      const broken = {
        toJSON: () => {
          throw thrown;
        },
      };
      expect(errorOf(() => writeJson({ broken }, 'value')).code).to.equal('HUB_CANNOT_ENCODE');
    });
});

describe('readJson', () => {
  it('reads what JSON.stringify wrote, as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(readJson(text, 1_000)).to.deep.equal(JSON.parse(text));
      }),
      effort(),
    );
  });

  it('refuses what is nested deeper than it may be, and only that', () => {
    const depthOf = (one: unknown): number =>
      typeof one === 'object' && one !== null ? 1 + Math.max(0, ...Object.values(one).map(depthOf)) : 0;
    fc.assert(
      fc.property(fc.json({ maxDepth: 6, stringUnit: 'binary' }), fc.integer({ min: 1, max: 6 }), (text, limit) => {
        const isTooDeep = depthOf(JSON.parse(text)) > limit;
        if (isTooDeep) expect(errorOf(() => readJson(text, limit)).code).to.equal('HUB_MESSAGE_TOO_DEEP');
        else expect(() => readJson(text, limit)).not.to.throw();
      }),
      effort(),
    );
  });

  it('is not misled by brackets and quotes in texts', () => {
    const texts = ['[[[[[[', '"[[[[[[', '\\"[[[[[[', '\\\\', '{"a":['];
    for (const text of texts) expect(readJson(JSON.stringify([text]), 1)).to.deep.equal([text]);
  });

  it('refuses what is no JSON, and never throws anything else', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('[]{}":,\\ a1')) }), (text) => {
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(errorOf(() => readJson(text, 1_000)).code).to.equal('HUB_MESSAGE_INVALID');
          return;
        }
        expect(readJson(text, 1_000)).to.deep.equal(expected);
      }),
      effort(),
    );
  });

  it('refuses a million brackets before anything is made of them', () => {
    expect(errorOf(() => readJson('['.repeat(1_000_000), 64)).code).to.equal('HUB_MESSAGE_TOO_DEEP');
  });
});
