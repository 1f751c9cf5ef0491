// `npm test`: sets up everything, and runs the compiled tests. What follows `npm test --` is for mocha; tests can be
// named by their sources: `npm test -- test/unit/hubs/hub.test.ts --grep 'a name'`.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, install, root, runBin } from './setup.mjs';

install('all');
build();

const args = process.argv.slice(2).map((arg) => compiled(arg.replaceAll('\\', '/')));
const specs = args.some((arg) => arg.endsWith('.test.js')) ? [] : ['test/dist/**/*.test.js'];
if (specs.length > 0 && existsSync(join(root, 'test/legacy/dist'))) specs.push('test/legacy/dist/**/*.test.js');
// Where everything is required, a test that did not run is a failure.
if (process.env.HUBLINE_REQUIRE === 'all') args.push('--forbid-pending');
runBin('mocha/bin/mocha.js', [...args, ...specs]);

function compiled(arg) {
  const [, project, rest] = /^(?:\.\/)?(test\/legacy|test)\/(?!dist\/)(.+\.test)\.ts$/.exec(arg) ?? [];
  return project ? `${project}/dist/${rest}.js` : arg;
}
