import { readFileSync } from 'node:fs';
import { defaults } from '@hubline/core/internal/options.js';
import { expect } from 'chai';
import { repositoryPath } from '../../support/repository.js';

describe('the limits of core', () => {
  it('are exactly those of docs/reference/options.md, with their defaults', () => {
    const text = readFileSync(repositoryPath('docs/reference/options.md'), 'utf8');
    const rows = [...text.matchAll(/^\| `(\w+)` +\| `([\d_]+)` +\|/gm)];
    const documented = rows.map(([, name, value]) => [name, Number(value?.replaceAll('_', ''))] as const);
    expect(documented).to.have.deep.members(Object.entries(defaults));
  });
});
