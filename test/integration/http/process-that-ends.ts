// A process of its own: it serves clients of both families, stops, and must then end because nothing is left to do.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hub, Hub, HubServer } from '@hubline/core';
import { WebSocket } from 'ws';

@hub('chat')
class ChatHub extends Hub {}

const server = new HubServer({ hubs: [ChatHub], keys: ['the key of a test'] });
const http = createServer();
let port: number;
if (process.argv[2] === 'listen') port = await server.listen(0, '127.0.0.1');
else {
  server.attach(http);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  ({ port } = http.address() as AddressInfo);
}

const core = new WebSocket(`ws://127.0.0.1:${port}/chat`);
await once(core, 'open');
core.send('{"protocol":"json","version":1}\u001e');
await once(core, 'message');

const common = `clientProtocol=2.1&connectionData=${encodeURIComponent('[{"name":"chat"}]')}`;
const answer = await fetch(`http://127.0.0.1:${port}/signalr/negotiate?${common}`);
const { ConnectionToken } = (await answer.json()) as { readonly ConnectionToken: string };
const query = `${common}&transport=webSockets&connectionToken=${encodeURIComponent(ConnectionToken)}`;
const classic = new WebSocket(`ws://127.0.0.1:${port}/signalr/connect?${query}`);
await once(classic, 'message');
await (await fetch(`http://127.0.0.1:${port}/signalr/start?${query}`)).text();
// Negotiated, and never opened.
await (await fetch(`http://127.0.0.1:${port}/chat/negotiate`, { method: 'POST' })).text();

const connected = server.connectionCount;
const gone = Promise.all([once(core, 'close'), once(classic, 'close')]);
await server.stop();
await gone;
process.stdout.write(`${connected} connected, ${server.connectionCount} left\n`);
// The application's own server is its own to close.
if (process.argv[2] !== 'listen') http.close();
process.disconnect?.();
