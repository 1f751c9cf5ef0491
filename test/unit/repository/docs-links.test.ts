import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { repositoryPath } from '../../support/repository.js';

const root = repositoryPath('.');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'core/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.includes('node_modules'))
    .map((file) => join('docs', file)),
];

/** The page without its code, in which brackets mean something else. */
function prose(page: string): string {
  return readFileSync(join(root, page), 'utf8').replaceAll(/^```[^]*?^```/gm, '');
}

/** Anchors as GitHub makes them: lower case, no punctuation, a hyphen for each space. */
function anchors(page: string): readonly string[] {
  return [...prose(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function problemOf(page: string, link: string): string | undefined {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(root, target))) return `${page}: ${link} is not there`;
  if (anchor !== undefined && !anchors(target).includes(anchor)) return `${page}: ${link} has no such heading`;
  return undefined;
}

describe('the links in the documentation', () => {
  it('lead to files and headings that are there', () => {
    const problems = pages.flatMap((page) =>
      [...prose(page).matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)]
        .map(([, link = '']) => link)
        .filter((link) => !/^[a-z]+:/.test(link))
        .map((link) => problemOf(page, link)),
    );
    expect(problems.length).to.be.above(20);
    expect(problems.filter((problem) => problem !== undefined)).to.deep.equal([]);
  });
});
