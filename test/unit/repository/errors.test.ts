import { readFileSync } from 'node:fs';
import { hubError } from '@hubline/core/internal/errors.js';
import { expect } from 'chai';
import { importScript, repositoryPath } from '../../support/repository.js';

const { readSources } = await importScript<{ readSources: (folder: string) => Record<string, string> }>(
  'check-floors.mjs',
);

describe('the error codes of core', () => {
  it('are exactly the headings of docs/reference/errors.md', () => {
    const text = readFileSync(repositoryPath('docs/reference/errors.md'), 'utf8');
    const documented = [...text.matchAll(/^## `?(HUB_\w+)`?\s*$/gm)].map((match) => match[1]);
    expect(documented).to.have.members(hubError.codes);
  });

  it('are all used', () => {
    const { 'errors.ts': catalogue = '', ...others } = readSources(repositoryPath('core/src'));
    const texts = Object.values(others).join('\n');
    // In errors.ts itself, only a default value is a use.
    const used = (code: string): boolean => texts.includes(`'${code}'`) || catalogue.includes(` code = '${code}'`);
    expect(hubError.codes.filter((code) => !used(code))).to.deep.equal([]);
  });
});
