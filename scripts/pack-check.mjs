// Packs every published package, and looks at what a user would install: its files, its manifest, its types.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { packages } from './packages.mjs';
import { build, install, npm, root, runBin } from './setup.mjs';

const attwOptions = ['--profile', 'esm-only', '--format', 'table-flipped', '--no-emoji'];
const unwanted = /(?:^|\/)(?:test|tests)\/|\.test\.|\.tsbuildinfo$|(?:^|\/)tsconfig/;

install('all');
build(...packages.map(({ folder }) => folder));

const target = mkdtempSync(join(tmpdir(), 'hubline-pack-'));
process.on('exit', () => rmSync(target, { recursive: true, force: true }));

for (const { folder, manifest, entries } of packages) {
  console.log(`\n${manifest.name} ${manifest.version}`);
  npm(['pack', '--pack-destination', target, '--loglevel', 'error'], { cwd: folder });
  const tarball = join(target, `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`);
  checkFiles(tarball, entries);
  checkTypes(tarball, manifest, entries);
  runBin('publint/src/cli.js', [tarball, '--strict']);
  runBin('@arethetypeswrong/cli/dist/index.js', [tarball, ...attwOptions]);
}

function checkFiles(tarball, entries) {
  const listed = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  const files = new Set(listed.map((file) => file.replace(/^package\//, '')));
  const missing = ['LICENSE', ...entries.map(({ types }) => types.replace('./', ''))].filter(
    (file) => !files.has(file),
  );
  const wrong = [...files].filter((file) => unwanted.test(file));
  for (const file of missing) console.error(`It lacks ${file}.`);
  for (const file of wrong) console.error(`It holds ${file}.`);
  if (missing.length + wrong.length > 0) process.exit(1);
  console.log(`${files.size} files`);
}

// As a strict user compiles: without `skipLibCheck`, and with nothing installed but what the package asks for.
function checkTypes(tarball, manifest, entries) {
  const user = join(target, 'user', manifest.name);
  const modules = join(user, 'node_modules');
  const own = join(modules, manifest.name);
  mkdirSync(own, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', own]);
  for (const name of ['@types/node', ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'dir');
  }
  const imports = entries.map(({ path }) => `export {} from '${posix.join(manifest.name, path)}';`);
  writeFileSync(join(user, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(user, 'user.ts'), imports.join('\n'));
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node'];
  runBin('typescript/bin/tsc', ['--ignoreConfig', ...options, join(user, 'user.ts')], { cwd: user });
  console.log('The types compile.');
}
