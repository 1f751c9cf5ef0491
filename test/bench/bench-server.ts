// A server of one kind, in a process of its own, so that its CPU time is its alone.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Hub, hub, hubMethod, HubServer } from '@hubline/core';
import { WebSocketServer, type WebSocket } from 'ws';

interface BenchClient {
  tick(value: number, text: string): void;
}

@hub('bench')
class BenchHub extends Hub<BenchClient> {
  @hubMethod() add(one: number, other: number): number {
    return one + other;
  }
}

const text = 'a message of about one hundred bytes, as a chat or a dashboard would send it to everybody in a room';

let deliver: (value: number) => void;
let port: number;

if (process.argv[2] === 'ws') {
  // What one would write by hand: a table of methods, JSON both ways, one encoded broadcast.
  const methods: Record<string, (...args: number[]) => number> = { add: (one = 0, other = 0) => one + other };
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', (socket: WebSocket) => {
    socket.on('message', (data: Buffer) => {
      const call = JSON.parse(data.toString('utf8')) as { M: string; A: number[]; I: number };
      socket.send(JSON.stringify({ I: String(call.I), R: methods[call.M]?.(...call.A) }));
    });
  });
  deliver = (value) => {
    const frame = Buffer.from(JSON.stringify({ C: `x-${value}`, M: [{ H: 'bench', M: 'tick', A: [value, text] }] }));
    for (const socket of sockets.clients) socket.send(frame, { binary: false });
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
} else {
  const server = new HubServer({ hubs: [BenchHub], keys: ['bench'] });
  port = await server.listen(0, '127.0.0.1');
  const { clients } = server.hub(BenchHub);
  deliver = (value) => void clients.all.tick(value, text);
}

process.on('message', (message: { readonly kind: string; readonly count: number }) => {
  if (message.kind === 'cpu') process.send?.({ cpuUs: total() });
  if (message.kind === 'deliver') deliver(message.count);
  if (message.kind === 'exit') process.exit();
});
process.send?.({ port });

function total(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
