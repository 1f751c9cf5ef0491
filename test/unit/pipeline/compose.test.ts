import { composeResult, composeVoid, type Chain } from '@hubline/core/internal/pipeline/compose.js';
import type { Next, Stage } from '@hubline/core';
import { failure } from '@hubline/core/testing';
import { expect } from 'chai';
import { atTestEnd } from '../../support/cleanup.js';

interface Context {
  readonly log: string[];
}

type ResultStage = Stage<Context, string>;
type VoidStage = Stage<Context>;

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Chains of a stage with a result, and of one without. What a module is made of is not checked here. */
const withResult = (innermost: Chain<Context, string>, ...stages: readonly ResultStage[]): Chain<Context, string> =>
  composeResult(stages.map((invoke, index) => ({ name: `m${index}`, invoke })) as never, 'invoke', innermost);
const withoutResult = (innermost: Chain<Context>, ...stages: readonly VoidStage[]): Chain<Context> =>
  composeVoid(stages.map((connect, index) => ({ name: `m${index}`, connect })) as never, 'connect', innermost);

const run = async <T>(chain: Chain<Context, T>): Promise<{ value: T; log: string[] }> => {
  const log: string[] = [];
  return { value: await chain({ log }), log };
};
const errorOf = (chain: Chain<Context, unknown>): Promise<Error & { code?: string }> =>
  failure(Promise.resolve().then(() => chain({ log: [] })));

/** How many promises `work` makes, those of V8's own included. */
async function promisesOf(work: () => unknown): Promise<number> {
  const { createHook } = await import('node:async_hooks');
  let made = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === 'PROMISE') made++;
    },
  });
  hook.enable();
  try {
    work();
  } finally {
    hook.disable();
  }
  return made;
}

/** Fails the test if a rejection stays unhandled. */
function watchRejections(): () => Promise<readonly unknown[]> {
  const unhandled: unknown[] = [];
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  atTestEnd(() => {
    process.off('unhandledRejection', note);
    for (const listener of others) process.on('unhandledRejection', listener);
  });
  return async () => {
    await later();
    await later();
    return unhandled;
  };
}

describe('a composed chain', () => {
  it('is the innermost function where no module has the stage', () => {
    const innermost = (): string => 'ok';
    expect(composeResult([{ name: 'other', send: (_context, next) => next() }], 'invoke', innermost)).to.equal(
      innermost,
    );
    const event = (): void => undefined;
    expect(composeVoid([], 'connect', event)).to.equal(event);
  });

  it('runs the module that was added first outermost, in all mixtures of synchronous and asynchronous', async () => {
    const stages: readonly ((name: string) => ResultStage)[] = [
      (name) => (context, next) => {
        context.log.push(`>${name}`);
        return next();
      },
      (name) => async (context, next) => {
        context.log.push(`>${name}`);
        await later();
        const result = await next();
        context.log.push(`<${name}`);
        return result;
      },
    ];
    for (const first of stages)
      for (const second of stages)
        for (const innermost of [() => 'ok', () => later().then(() => 'ok')]) {
          const { value, log } = await run(withResult(innermost, first('a'), second('b')));
          expect(value).to.equal('ok');
          expect(log.filter((line) => line.startsWith('>'))).to.deep.equal(['>a', '>b']);
          const back = log.filter((line) => line.startsWith('<'));
          expect(back).to.deep.equal(['<b', '<a'].filter((line) => back.includes(line)));
        }
  });

  it('makes no promise where every link has answered synchronously', async () => {
    const through: ResultStage = (_context, next) => next();
    const changed: ResultStage = (_context, next) => `${next() as string}!`;
    const chain = withResult(() => 'ok', through, changed, through);
    const event = withoutResult(
      () => undefined,
      (_context, next) => next(),
      (_context, next) => void next(),
    );
    let result: unknown;
    const made = await promisesOf(() => {
      result = chain({ log: [] });
      void event({ log: [] });
    });
    expect({ made, result }).to.deep.equal({ made: 0, result: 'ok!' });
  });

  it('gives a promise of the innermost function on as it is, where all modules do', () => {
    const promise = later().then(() => 'ok');
    const through: ResultStage = (_context, next) => next();
    expect(withResult(() => promise, through, through)({ log: [] })).to.equal(promise);
  });

  it('uses what the module is: a stage that is a method has its module as `this`', async () => {
    class Greeting {
      readonly name = 'greeting';
      readonly text = 'hello';
      invoke(): string {
        return this.text;
      }
    }
    expect((await run(composeResult([new Greeting()] as never, 'invoke', () => 'ok'))).value).to.equal('hello');
  });
});

describe('a stage with a result', () => {
  const nothing: readonly (readonly [string, ResultStage])[] = [
    ['without a return', ((_context: Context, next: Next<string>) => void next()) as never],
    ['without a return, asynchronous', (async (_context: Context, next: Next<string>) => void (await next())) as never],
    ['that returns next itself', ((_context: Context, next: Next<string>) => next) as never],
    ['that returns next itself, asynchronous', (async (_context: Context, next: Next<string>) => next) as never],
  ];
  for (const [title, stage] of nothing)
    it(`${title} is an error that names the module`, async () => {
      for (const innermost of [() => 'ok', () => later().then(() => 'ok')]) {
        const error = await errorOf(withResult(innermost, (_context, next) => next(), stage));
        expect(error.code).to.equal('HUB_STAGE_RETURNED_NOTHING');
        expect(error.message).to.contain("'m1'");
      }
    });

  it('may answer without next, and with null', async () => {
    expect(
      (
        await run(
          withResult(
            () => 'ok',
            () => 'mine',
          ),
        )
      ).value,
    ).to.equal('mine');
    expect(
      (
        await run(
          withResult(
            () => 'ok',
            () => null as never,
          ),
        )
      ).value,
    ).to.equal(null);
  });

  it('may not call next twice', async () => {
    const error = await errorOf(
      withResult(
        () => 'ok',
        async (_context, next) => {
          await next();
          return next();
        },
      ),
    );
    expect(error.code).to.equal('HUB_NEXT_CALLED_TWICE');
  });

  it('sees a failure that was thrown at once as it sees one that came later', async () => {
    const innermosts: readonly Chain<Context, string>[] = [
      () => {
        throw new Error('no');
      },
      () => Promise.reject(new Error('no')),
    ];
    for (const innermost of innermosts) {
      const { value } = await run(
        withResult(innermost, async (_context, next) => {
          try {
            return await next();
          } catch (error) {
            return (error as Error).message;
          }
        }),
      );
      expect(value).to.equal('no');
    }
  });

  const careless: readonly (readonly [string, ResultStage])[] = [
    [
      'answers by itself',
      (_context, next) => {
        void next();
        return 'mine';
      },
    ],
    [
      'answers by itself after a while',
      async (_context, next) => {
        await later();
        void next();
        return 'mine';
      },
    ],
    [
      'throws',
      (_context, next) => {
        void next();
        throw new Error('mine');
      },
    ],
    [
      'rejects',
      async (_context, next) => {
        void next();
        throw new Error('mine');
      },
    ],
  ];
  for (const [title, stage] of careless)
    it(`that ${title} leaves no unhandled rejection of a next() that it did not wait for`, async () => {
      const unhandled = watchRejections();
      const chain = withResult(() => later().then(() => Promise.reject(new Error('inside'))), stage);
      const outcome = await Promise.resolve()
        .then(() => chain({ log: [] }))
        .catch((error: Error) => error.message);
      expect(outcome).to.equal('mine');
      expect(await unhandled()).to.deep.equal([]);
    });
});

describe('a stage without a result', () => {
  const late = (context: Context): Promise<void> => later().then(() => void context.log.push('inside'));
  const atOnce = (context: Context): void => void context.log.push('inside');

  it('that ends without next is an error that names the module', async () => {
    for (const stage of [() => undefined, async () => undefined] as readonly VoidStage[]) {
      const error = await errorOf(withoutResult(atOnce, (_context, next) => next(), stage));
      expect(error.code).to.equal('HUB_NEXT_NOT_CALLED');
      expect(error.message).to.contain("'m1'");
    }
  });

  it('that does not wait for next is an error that names the module, if there was something to wait for', async () => {
    const careless: VoidStage = (_context, next) => void next();
    expect((await errorOf(withoutResult(late, careless))).code).to.equal('HUB_NEXT_NOT_AWAITED');
    expect((await run(withoutResult(atOnce, careless))).log).to.deep.equal(['inside']);
  });

  it('that calls next when it has ended lets nothing through', async () => {
    const log: string[] = [];
    const nexts: Next[] = [];
    const stages: readonly VoidStage[] = [
      (_context, next) => void nexts.push(next),
      async (_context, next) => void nexts.push(next),
      (_context, next) => {
        nexts.push(next);
        throw new Error('refused');
      },
      async (_context, next) => {
        nexts.push(next);
        throw new Error('refused');
      },
    ];
    for (const stage of stages)
      await Promise.resolve()
        .then(() => withoutResult(atOnce, stage)({ log }))
        .catch(() => undefined);
    for (const next of nexts) void next();
    expect(nexts).to.have.length(4);
    expect(log).to.deep.equal([]);
  });

  it('may not call next twice', async () => {
    const error = await errorOf(
      withoutResult(atOnce, (_context, next) => {
        void next();
        return next();
      }),
    );
    expect(error.code).to.equal('HUB_NEXT_CALLED_TWICE');
  });

  it('may go on after a failure further in, thrown at once or later', async () => {
    const failing: readonly Chain<Context>[] = [
      () => {
        throw new Error('no');
      },
      () => later().then(() => Promise.reject(new Error('no'))),
    ];
    const forgiving: VoidStage = async (context, next) => {
      try {
        await next();
      } catch {
        context.log.push('forgiven');
      }
    };
    for (const innermost of failing)
      expect((await run(withoutResult(innermost, forgiving))).log).to.deep.equal(['forgiven']);
    const atOnceForgiving: VoidStage = (context, next) => {
      try {
        void next();
      } catch {
        context.log.push('forgiven');
      }
    };
    expect((await run(withoutResult(failing[0] as Chain<Context>, atOnceForgiving))).log).to.deep.equal(['forgiven']);
  });

  const careless: readonly (readonly [string, VoidStage])[] = [
    ['returns', (_context, next) => void next()],
    [
      'throws',
      (_context, next) => {
        void next();
        throw new Error('mine');
      },
    ],
    [
      'rejects',
      async (_context, next) => {
        void next();
        throw new Error('mine');
      },
    ],
  ];
  for (const [title, stage] of careless)
    it(`that ${title} leaves no unhandled rejection of a next() that it did not wait for`, async () => {
      const unhandled = watchRejections();
      await errorOf(withoutResult(() => later().then(() => Promise.reject(new Error('inside'))), stage));
      expect(await unhandled()).to.deep.equal([]);
    });
});
