// What `npm start` and `npm test` share: on a fresh clone they install and build what they need, later only what changed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder; all commands run there. */
export const root = fileURLToPath(new URL('..', import.meta.url));

const stampFile = join(root, 'node_modules', '.hubline-setup.json');
const scopes = { samples: ['--workspace', 'core', '--workspace', 'samples/chat'], all: [] };

/** Runs a command in the repository's folder and ends this process with its exit code if it fails. */
export function run(command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) throw error;
  if (status !== 0) process.exit(signal === 'SIGINT' ? 130 : (status ?? 1));
}

/** Runs a package's program with this Node, which needs no shell and no `npx`. */
export function runBin(file, args, options) {
  run(process.execPath, [join(root, 'node_modules', file), ...args], options);
}

/** Installs the `samples` or `all` workspaces, unless the last complete installation still fits. */
export function install(wanted) {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const node = process.versions.modules;
  const last = readStamp();
  const covers = last?.scope === 'all' || last?.scope === wanted;
  if (covers && last.lock === lock && last.node === node) return;

  // On what npm has installed it only adds what is missing, so that what was compiled once stays (`--no-save`: never
  // touch the lock file). Where there is nothing, or another Node's binaries, it starts over.
  const inPlace = existsSync(join(root, 'node_modules/.package-lock.json')) && (last?.node ?? node) === node;
  const command = inPlace ? ['install', '--no-save'] : ['ci'];
  const scope = last?.scope === 'all' ? 'all' : wanted;
  rmSync(stampFile, { force: true });
  console.error(`> npm ${[...command, ...scopes[scope]].join(' ')}`);
  npm([...command, ...scopes[scope], '--no-audit', '--no-fund']);
  writeFileSync(stampFile, `${JSON.stringify({ scope, lock, node })}\n`);
}

/** Builds a project and what it refers to. `tsc -b` emits in spite of errors, so its exit code decides. */
export function build(...projects) {
  removeStaleOutput();
  runBin('typescript/bin/tsc', ['-b', ...projects]);
}

/** Runs npm. */
export function npm(args, options) {
  // Started by npm, its own path is known; a bare `npm` would need a shell on Windows.
  const cli = process.env.npm_execpath;
  if (cli?.endsWith('.js')) run(process.execPath, [cli, ...args], options);
  else run('npm', args, { shell: process.platform === 'win32', ...options });
}

function readStamp() {
  if (!existsSync(stampFile)) return undefined;
  return JSON.parse(readFileSync(stampFile, 'utf8'));
}

/** Deletes what was compiled from sources that are gone: the compiler leaves it there, and mocha would run it. */
function removeStaleOutput() {
  for (const folder of outputFolders(root, 3)) {
    for (const name of readdirSync(folder, { recursive: true })) {
      if (!name.endsWith('.js.map')) continue;
      const map = join(folder, name);
      const [source] = JSON.parse(readFileSync(map, 'utf8')).sources;
      if (source === undefined || existsSync(join(dirname(map), source))) continue;
      const base = map.slice(0, -'.js.map'.length);
      for (const end of ['.js', '.js.map', '.d.ts', '.d.ts.map']) rmSync(base + end, { force: true });
    }
  }
}

function outputFolders(folder, depth) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory() || entry.name === 'node_modules' || entry.name.startsWith('.')) return [];
    const path = join(folder, entry.name);
    if (entry.name === 'dist') return [path];
    return depth > 1 ? outputFolders(path, depth - 1) : [];
  });
}
