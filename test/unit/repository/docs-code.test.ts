import { expect } from 'chai';
import { importScript } from '../../support/repository.js';

interface Block {
  readonly file: string;
  readonly line: number;
  readonly kind: 'standard' | 'legacy' | 'fragment';
  readonly code: string;
}

const { extractBlocks, readBlocks, compileBlocks } = await importScript<{
  extractBlocks: (file: string, text: string) => Block[];
  readBlocks: () => Block[];
  compileBlocks: (blocks: Block[]) => string[];
}>('docs-code.mjs');

describe('the code in the documentation', () => {
  it('blocks of Markdown are found with their line and kind, also in lists', () => {
    const text = ['```ts', 'a;', '```', '- x', '  ```ts legacy', '  b;', '  ```', '```ts fragment', '…', '```'].join(
      '\n',
    );
    expect(extractBlocks('docs/a.md', text)).to.deep.equal([
      { file: 'docs/a.md', line: 1, kind: 'standard', code: 'a;' },
      { file: 'docs/a.md', line: 5, kind: 'legacy', code: 'b;' },
      { file: 'docs/a.md', line: 8, kind: 'fragment', code: '…' },
    ]);
  });

  it('blocks of other languages are left out', () => {
    const text = ['```js', 'a', '```', '```', 'b', '```', '````md', '```ts', 'c', '```', '````'].join('\n');
    expect(extractBlocks('docs/a.md', text)).to.deep.equal([]);
  });

  it('blocks of doc comments are found', () => {
    const text = ['/**', ' * @example', ' * ```ts', ' * a({', ' *   b,', ' * });', ' * ```', ' */'].join('\n');
    expect(extractBlocks('core/src/a.ts', text)).to.deep.equal([
      { file: 'core/src/a.ts', line: 3, kind: 'standard', code: 'a({\n  b,\n});' },
    ]);
  });

  it('compiles', function () {
    this.timeout(60_000);
    expect(compileBlocks(readBlocks()).join('\n')).to.equal('');
  });

  it('is a fragment only as an exception: at most one block in five', () => {
    const blocks = readBlocks();
    const fragments = blocks.filter((block) => block.kind === 'fragment');
    expect(blocks).not.to.have.length(0);
    expect(fragments.length / blocks.length).to.be.at.most(0.2);
  });
});
