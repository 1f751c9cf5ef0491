import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { atTestEnd } from '../../support/cleanup.js';
import { repositoryPath } from '../../support/repository.js';

/** Runs a file of tests as the suite runs its own; what mocha said. */
async function run(body: string): Promise<{ readonly passed: boolean; readonly output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'hubline-stray-'));
  atTestEnd(() => rm(folder, { recursive: true }));
  const file = join(folder, 'stray.test.mjs');
  await writeFile(file, body);
  const mocha = join(createRequire(import.meta.url).resolve('mocha/package.json'), '../bin/mocha.js');
  const hook = repositoryPath('test/dist/support/stray-errors.js');
  return new Promise((resolve) => {
    execFile(process.execPath, [mocha, '--no-config', '--require', hook, file], (error, stdout, stderr) =>
      resolve({ passed: error === null, output: `${stdout}${stderr}` }),
    );
  });
}

describe('a test in which nobody looks at an error', () => {
  const strays: readonly (readonly [what: string, body: string])[] = [
    ['a rejection', "it('t', () => { void Promise.reject(new Error('stray 1')); });"],
    ['a rejection in a later turn', "it('t', () => { setImmediate(() => Promise.reject(new Error('stray 1'))); });"],
    ['an exception in a later turn', "it('t', () => { setImmediate(() => { throw new Error('stray 1'); }); });"],
  ];
  for (const [what, body] of strays) {
    it(`has failed: ${what}`, async () => {
      const { passed, output } = await run(body);
      expect(passed).to.equal(false);
      expect(output).to.include('stray 1');
    });
  }

  it('is told from one in which somebody does', async () => {
    const { passed, output } = await run("it('t', () => Promise.reject(new Error('seen')).catch(() => undefined));");
    expect(output).to.include('1 passing');
    expect(passed).to.equal(true);
  });
});
