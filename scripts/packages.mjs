// The packages of this repository that are published, for the scripts that check each of them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const modules = existsSync(join(root, 'modules')) ? readdirSync(join(root, 'modules')) : [];

/** Their folders, manifests and entry points: `{ path: './testing', name: 'testing', types: './dist/testing/index.d.ts' }`. */
export const packages = ['core', ...modules.map((name) => `modules/${name}`)]
  .map((folder) => join(root, folder))
  .filter((folder) => existsSync(join(folder, 'package.json')))
  .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
  .filter(({ manifest }) => !manifest.private)
  .map(({ folder, manifest }) => ({ folder, manifest, entries: entriesOf(manifest) }));

function entriesOf(manifest) {
  const shortName = manifest.name.split('/').at(-1);
  return Object.entries(manifest.exports).flatMap(([path, target]) => {
    if (typeof target.types !== 'string') return [];
    return [{ path, name: path === '.' ? shortName : path.slice(2).replaceAll('/', '-'), types: target.types }];
  });
}
