import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';

const connections = 50;
const callsPerRound = 40_000;
const deliveriesPerRound = 2_000;
const rounds = 5;

type Kind = 'ws' | 'aspnet' | 'json';

interface Costs {
  readonly callUs: number;
  readonly deliveryUs: number;
}

/** CPU time of the server for one call and for one delivery, beside the same written by hand on `ws`. */
export async function callsAndDeliveries(json: boolean): Promise<void> {
  const kinds: readonly Kind[] = ['ws', 'aspnet', 'json'];
  const best = new Map<Kind, Costs>();
  // Kinds take turns, so that a slow moment of the machine does not meet one of them alone.
  for (let round = 0; round < rounds; round++)
    for (const kind of kinds) {
      const costs = await measure(kind);
      const known = best.get(kind) ?? costs;
      best.set(kind, {
        callUs: Math.min(known.callUs, costs.callUs),
        deliveryUs: Math.min(known.deliveryUs, costs.deliveryUs),
      });
    }
  const raw = best.get('ws') as Costs;
  const rows = kinds.map((kind) => {
    const { callUs, deliveryUs } = best.get(kind) as Costs;
    return {
      scenario: 'calls-and-deliveries',
      server: kind,
      callUs,
      deliveryUs,
      callRatio: raw.callUs / callUs,
      deliveryRatio: raw.deliveryUs / deliveryUs,
    };
  });
  if (json) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else
    for (const row of rows)
      process.stdout.write(
        `${row.server.padEnd(8)} call ${row.callUs.toFixed(2)} µs (${row.callRatio.toFixed(2)} of ws)   ` +
          `delivery ${row.deliveryUs.toFixed(2)} µs (${row.deliveryRatio.toFixed(2)} of ws)\n`,
      );
}

async function measure(kind: Kind): Promise<Costs> {
  const file = fileURLToPath(new URL('./bench-server.js', import.meta.url));
  const child = fork(file, [kind === 'ws' ? 'ws' : 'hubline']);
  try {
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    const clients = await Promise.all(Array.from({ length: connections }, () => connect(kind, port)));
    await callAll(clients, callsPerRound / 4);
    let before = await cpu(child);
    await callAll(clients, callsPerRound);
    const callUs = ((await cpu(child)) - before) / callsPerRound;
    await deliverAll(child, clients, deliveriesPerRound / 4);
    before = await cpu(child);
    await deliverAll(child, clients, deliveriesPerRound);
    const deliveryUs = ((await cpu(child)) - before) / (deliveriesPerRound * connections);
    for (const { socket } of clients) socket.terminate();
    return { callUs, deliveryUs };
  } finally {
    child.send({ kind: 'exit' });
    await once(child, 'exit');
  }
}

interface Client {
  readonly socket: WebSocket;
  readonly frame: string;
}

async function connect(kind: Kind, port: number): Promise<Client> {
  const call = JSON.stringify({ H: 'bench', M: 'add', A: [40, 2], I: 1 });
  if (kind === 'ws') {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
    await once(socket, 'open');
    return { socket, frame: call };
  }
  if (kind === 'json') {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/bench`, { perMessageDeflate: false });
    await once(socket, 'open');
    socket.send('{"protocol":"json","version":1}\u001e');
    await once(socket, 'message');
    return { socket, frame: '{"target":"add","arguments":[40,2],"invocationId":"1","type":1}\u001e' };
  }
  const query = 'clientProtocol=2.1&connectionData=%5B%7B%22name%22%3A%22bench%22%7D%5D&transport=webSockets';
  const base = `http://127.0.0.1:${port}/signalr`;
  const { ConnectionToken } = (await (await fetch(`${base}/negotiate?${query}`)).json()) as { ConnectionToken: string };
  const whole = `${query}&connectionToken=${encodeURIComponent(ConnectionToken)}`;
  const socket = new WebSocket(`${base.replace('http', 'ws')}/connect?${whole}`, { perMessageDeflate: false });
  await once(socket, 'message');
  await fetch(`${base}/start?${whole}`);
  return { socket, frame: call };
}

/** Each client has one call under way. */
async function callAll(clients: readonly Client[], count: number): Promise<void> {
  let left = count;
  await Promise.all(
    clients.map(
      ({ socket, frame }) =>
        new Promise<void>((resolve) => {
          const next = (): void => {
            if (left-- > 0) {
              socket.send(frame);
              return;
            }
            socket.off('message', next);
            resolve();
          };
          socket.on('message', next);
          next();
        }),
    ),
  );
}

async function deliverAll(child: ChildProcess, clients: readonly Client[], count: number): Promise<void> {
  let expected = 0;
  let arrived = 0;
  let wake: (() => void) | undefined;
  const onMessage = (): void => {
    if (++arrived >= expected) wake?.();
  };
  for (const { socket } of clients) socket.on('message', onMessage);
  for (let sent = 0; sent < count; sent++) {
    child.send({ kind: 'deliver', count: sent });
    expected += clients.length;
    if (sent % 20 === 19 && arrived < expected) await new Promise<void>((resolve) => (wake = resolve));
  }
  for (const { socket } of clients) socket.off('message', onMessage);
}

async function cpu(child: ChildProcess): Promise<number> {
  const answer = once(child, 'message');
  child.send({ kind: 'cpu' });
  const [{ cpuUs }] = (await answer) as [{ cpuUs: number }];
  return cpuUs;
}
