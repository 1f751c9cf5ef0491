// Packs every published package, and looks at what a user would install: its files, its manifest, its types.
import { mkdtempSync, rmSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packages } from './packages.mjs';
import { build, install, npm, runBin } from './setup.mjs';

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
  runBin('publint/src/cli.js', [tarball, '--strict']);
  runBin('@arethetypeswrong/cli/dist/index.js', [
    tarball,
    '--profile',
    'esm-only',
    '--format',
    'table-flipped',
    '--no-emoji',
  ]);
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
