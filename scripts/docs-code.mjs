// Compiles the code in the documentation, so that what is shown works: every block of ```ts in the Markdown files and in
// the doc comments of the sources. Each block is a file of its own, with its own imports. ```ts legacy compiles with
// experimentalDecorators; ```ts fragment is not compiled. A test runs this over all of the documentation.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const generated = join(root, 'test/docs-code/generated');

const compilerOptions = {
  composite: false,
  declaration: false,
  declarationMap: false,
  sourceMap: false,
  noEmit: true,
  moduleDetection: 'force',
  lib: ['ES2022', 'ESNext.Decorators', 'ESNext.Disposable', 'DOM'],
  types: ['node', 'mocha'],
  // An example may declare what the reader goes on with.
  noUnusedLocals: false,
  noUnusedParameters: false,
};
const legacy = { experimentalDecorators: true, emitDecoratorMetadata: true };

/** The blocks of one Markdown or TypeScript file: `{ file, line, kind: 'standard' | 'legacy' | 'fragment', code }`. */
export function extractBlocks(file, text) {
  const blocks = [];
  let open;
  for (const [index, source] of text.split(/\r?\n/).entries()) {
    // Of a source file only the lines of doc comments count.
    const line = file.endsWith('.ts') ? (/^\s*\*(?!\/) ?(.*)$/.exec(source)?.[1] ?? '') : source;
    const fence = /^(\s*)(`{3,})\s*(.*)$/.exec(line);
    if (open === undefined) {
      if (fence) open = { indent: fence[1].length, marks: fence[2], info: fence[3], line: index + 1, lines: [] };
    } else if (fence && fence[3] === '' && fence[2].length >= open.marks.length) {
      const [language, ...words] = open.info.split(/[\s{]+/);
      const kind = words.find((word) => word === 'legacy' || word === 'fragment') ?? 'standard';
      if (language === 'ts') blocks.push({ file, line: open.line, kind, code: open.lines.join('\n') });
      open = undefined;
    } else open.lines.push(line.slice(open.indent));
  }
  return blocks;
}

/** The blocks of all documentation. */
export function readBlocks() {
  const packages = ['modules', 'samples'].flatMap((folder) => list(folder, 1));
  const readmes = ['', 'core', ...packages].map((folder) => join(folder, 'README.md'));
  const markdown = [
    ...readmes,
    ...list('docs').filter((file) => file.endsWith('.md') && !file.includes('node_modules')),
  ];
  const sources = ['core', ...list('modules', 1)].flatMap((folder) => list(join(folder, 'src')));
  return [...markdown, ...sources.filter((file) => file.endsWith('.ts'))]
    .filter((file) => existsSync(join(root, file)))
    .flatMap((file) => extractBlocks(file, readFileSync(join(root, file), 'utf8')));
}

/** Compiles the blocks; gives what is wrong, as `file:line: message` of the documentation. */
export function compileBlocks(blocks) {
  rmSync(generated, { recursive: true, force: true });
  return [
    ...compileProject('standard', compilerOptions, blocks),
    ...compileProject('legacy', { ...compilerOptions, ...legacy }, blocks),
  ];
}

function compileProject(kind, options, blocks) {
  const chosen = blocks.filter((block) => block.kind === kind);
  if (chosen.length === 0) return [];
  const folder = join(generated, kind);
  mkdirSync(folder, { recursive: true });
  const config = { extends: '../../../../tsconfig.base.json', compilerOptions: options, include: ['*.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const origins = new Map();
  for (const { file, line, code } of chosen) {
    const name = `${file.replaceAll(/[\\/]/g, '__').replace(/\.\w+$/, '')}__${line}.ts`;
    origins.set(name, file);
    // Empty lines before it put the block where it stands in the documentation, and so the compiler's positions.
    writeFileSync(join(folder, name), '\n'.repeat(line) + code);
  }
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '-p', folder, '--pretty', 'false'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  if (status === 0) return [];
  return `${stdout}${stderr}`
    .trim()
    .split('\n')
    .map((line) => {
      const [, name, at, message] = /^(\S+)\((\d+),\d+\): (.*)$/.exec(line) ?? [];
      return origins.has(name) ? `${origins.get(name)}:${at}: ${message}` : line;
    });
}

function list(folder, depth = Infinity) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: depth > 1 }).map((name) => join(folder, name));
}
