import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

// This file is dist/server/site.js.
const here = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const require = createRequire(import.meta.url);

/** The two pages, and the clients as their packages bring them. */
const fixed: Readonly<Record<string, string>> = {
  '/': here('public/index.html'),
  '/admin': here('public/admin.html'),
  '/favicon.ico': here('public/favicon.svg'),
  '/vendor/jquery.js': require.resolve('jquery/dist/jquery.min.js'),
  '/vendor/jquery.signalR.js': require.resolve('signalr/jquery.signalR.min.js'),
  '/vendor/signalr.js': require.resolve('@microsoft/signalr/dist/browser/signalr.min.js'),
};

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const headers = {
  'Cache-Control': 'no-cache',
  'Content-Security-Policy': "default-src 'self'; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'",
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
};

/** Sends a page or one of its files; answers 404 for anything else. */
export async function serveSite(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  const file = fileFor(path);
  const content = file === undefined ? undefined : await readFile(file).catch(() => undefined);
  if (file === undefined || content === undefined) {
    response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('There is nothing here.\n');
    return;
  }
  response.writeHead(200, { ...headers, 'Content-Type': types[extname(file)] ?? 'application/octet-stream' });
  response.end(request.method === 'HEAD' ? undefined : content);
}

/** Only plain names below the two folders, so that no path leads out of them. */
function fileFor(path: string): string | undefined {
  if (Object.hasOwn(fixed, path)) return fixed[path];
  const [, folder, name] = /^\/(assets|page)\/((?:[\w-]+\/)?[\w-]+\.(?:css|js|svg))$/.exec(path) ?? [];
  if (folder === undefined || name === undefined) return undefined;
  return here(folder === 'assets' ? `public/${name}` : `dist/page/${name}`);
}
