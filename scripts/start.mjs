// `npm start`: sets up what the chat sample needs, and runs it. PORT overrides its port, 3000.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, install, root } from './setup.mjs';

install('samples');
build('samples/chat');

// In this process, so that signals and the terminal are the sample's own.
const main = join(root, 'samples/chat/dist/server/main.js');
process.setSourceMapsEnabled(true);
process.argv[1] = main;
await import(pathToFileURL(main).href);
