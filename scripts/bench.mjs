// `npm run bench -- NAME`: builds, and runs a benchmark. Without a name: calls and deliveries beside bare `ws`.
import { build, install, run } from './setup.mjs';

install('all');
build('test');
run(process.execPath, ['test/dist/bench/main.js', ...process.argv.slice(2)]);
