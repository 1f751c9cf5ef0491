// Holds the floors of core/src: a file imports only from its own floor or below, and no files import each other in a
// circle, types included. Run by `npm run lint`; `checkFloors` has its own test.
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The lowest first. `.` is the files of src itself; `index.ts`, which exports everything, is the roof. */
export const floors = [
  '.',
  'security',
  'wire',
  'messaging',
  'groups',
  'connections',
  'hubs',
  'pipeline',
  'dispatcher',
  'transports',
  'protocols',
  'server',
  'testing',
  'index.ts',
];

/**
 * @param {Record<string, string>} files source texts by path, relative to core/src, with `/`
 * @returns {string[]} what is wrong, one sentence each; empty if all is well
 */
export function checkFloors(files) {
  const problems = [];
  const imports = new Map();
  for (const [file, text] of Object.entries(files)) {
    if (!floors.includes(floorOf(file))) problems.push(`${file}: '${floorOf(file)}' is not one of the floors.`);
    const targets = relativeImports(text).map((name) => posix.join(posix.dirname(file), name.replace(/\.js$/, '.ts')));
    imports.set(file, targets);
    for (const target of targets) {
      if (!(target in files)) problems.push(`${file} imports ${target}, which is not there.`);
      else if (floors.indexOf(floorOf(target)) > floors.indexOf(floorOf(file))) {
        problems.push(`${file} imports ${target}, which is on a higher floor.`);
      }
    }
    if (/\bfrom '@hubline\/core/.test(withoutComments(text))) problems.push(`${file} imports its own package by name.`);
  }
  return [...problems, ...findCircles(imports).map((circle) => `A circle: ${circle.join(' → ')}.`)];
}

/** The texts of all .ts files under a folder, as `checkFloors` takes them. */
export function readSources(folder) {
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.ts'));
  return Object.fromEntries(
    names.map((name) => [name.replaceAll('\\', '/'), readFileSync(join(folder, name), 'utf8')]),
  );
}

function floorOf(file) {
  if (file === 'index.ts') return file;
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : '.';
}

// Static imports, re-exports, `import()` of values and of types.
function relativeImports(text) {
  const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*)'(\.{1,2}\/[^']+)'/g;
  return [...withoutComments(text).matchAll(pattern)].map((match) => match[1]);
}

// Line by line: enough to leave out the examples in comments, and safe from `/*` in a string.
function withoutComments(text) {
  return text.replace(/^\s*(?:\/\/|\/\*|\*).*$/gm, '');
}

function findCircles(imports) {
  const circles = [];
  const done = new Set();
  const visit = (file, path) => {
    const start = path.indexOf(file);
    if (start >= 0) circles.push([...path.slice(start), file]);
    if (start >= 0 || done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return circles;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const problems = checkFloors(readSources(fileURLToPath(new URL('../core/src', import.meta.url))));
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
