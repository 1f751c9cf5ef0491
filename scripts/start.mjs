// `npm start`: sets up what the chat sample needs, and runs it. PORT overrides its port, 3000.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, install, root } from './setup.mjs';

const parent = process.ppid;
install('samples');
build('samples/chat');

// In this process, so that signals and the terminal are the sample's own.
const main = join(root, 'samples/chat/dist/server/main.js');
process.setSourceMapsEnabled(true);
process.argv[1] = main;
await import(pathToFileURL(main).href);

// A signal to npm ends the shell in between, which does not pass it on: the sample would stay and hold its port.
if (process.env.npm_lifecycle_event === 'start') {
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 250);
  watch.unref();
}
