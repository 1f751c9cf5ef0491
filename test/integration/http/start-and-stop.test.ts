import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { hub, Hub, HubServer, systemClock, type Clock } from '@hubline/core';
import { VirtualClock } from '@hubline/core/testing';
import { expect } from 'chai';
import { atTestEnd } from '../../support/cleanup.js';
import { eventually } from '../../support/eventually.js';
import { post, RawConnection, request } from '../../support/raw-http.js';
import { localhost, startServer, testKeys } from '../../support/servers.js';
import { attachHubs, listenOn, startSite } from '../../support/site.js';
import { WireClient } from '../../support/wire-client.js';
import { within } from '../../support/within.js';
import { Application, ChatHub } from './application.js';

const requests: readonly (readonly [method: string, path: string])[] = [
  ['POST', '/chat/negotiate'],
  ['GET', '/signalr/negotiate?clientProtocol=2.1&connectionData=[]'],
];

/** What a request and an upgrade of each family get. */
async function statuses(port: number): Promise<number[]> {
  const found: number[] = [];
  for (const [method, path] of requests) found.push((await request(port, path, { method })).status);
  for (const path of ['/chat', '/signalr/connect?transport=webSockets'])
    found.push((await (await RawConnection.upgrade(port, path)).head()).status);
  return found;
}

describe('a request that cannot be served', () => {
  for (const [how, authenticate] of [
    [
      'throws',
      () => {
        throw new Error('The directory is at 10.0.0.7.');
      },
    ],
    ['rejects', () => Promise.reject(new Error('The directory is at 10.0.0.7.'))],
  ] as const) {
    it(`is a 500 that tells nothing when authenticate ${how}`, async () => {
      const { port, log } = await startServer({ hubs: [ChatHub], authenticate });
      expect(await statuses(port)).to.deep.equal([500, 500, 500, 500]);
      expect((await post(port, '/chat/negotiate')).body).not.to.contain('10.0.0.7');
      const logged = log.filter(({ level }) => level === 'error');
      expect(logged[0]?.details).to.have.nested.property('error.code', 'HUB_REQUEST_FAILED');
    });
  }

  it('is a 500 when the server could not start, and what it could not is logged', async () => {
    const clock: Clock = {
      ...systemClock,
      after() {
        throw new Error('There are no timers.');
      },
    };
    const { port, log } = await startSite({ hubs: [ChatHub], clock });
    expect(await statuses(port)).to.deep.equal([500, 500, 500, 500]);
    expect(log.filter(({ message }) => message === 'The server could not start.')).to.have.length(1);
  });

  it('is a 503 with Connection: close while the server stops', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let leaving = false;
    @hub('chat')
    class SlowToLeaveHub extends Hub {
      override onDisconnected() {
        leaving = true;
        return released;
      }
    }
    const { port, server } = await startSite({ hubs: [SlowToLeaveHub] });
    const client = await WireClient.connect(port, '/chat');
    await client.roundTrip();
    const stopped = server.stop();
    await eventually(() => leaving, 'the hub is told');
    expect(await statuses(port)).to.deep.equal([503, 503, 503, 503]);
    expect((await post(port, '/chat/negotiate')).headers).to.have.property('connection', 'close');
    release();
    await within(stopped, 5_000, 'the stop');
  });
});

describe('starting', () => {
  it('start() can be called again, and attach() and a request do it too', async () => {
    const { server, port } = await startSite({ hubs: [ChatHub] });
    await Promise.all([server.start(), server.start()]);
    expect(await post(port, '/chat/negotiate')).to.have.property('status', 200);
  });

  it('a request that comes before the start is done waits for it', async () => {
    const server = new HubServer({ hubs: [ChatHub], keys: testKeys });
    atTestEnd(() => server.stop({ graceMs: 0 }));
    const { port } = await listenOn(createServer((incoming, response) => server.handleRequest(incoming, response)));
    expect(await post(port, '/chat/negotiate')).to.have.property('status', 200);
  });

  it('start() rejects when the server has been stopped', async () => {
    const server = new HubServer({ hubs: [ChatHub], keys: testKeys });
    await server.stop();
    const error = await server.start().catch((reason: unknown) => reason);
    expect(error).to.have.property('code', 'HUB_SERVER_STOPPED');
  });
});

/** A server that listens by itself. */
async function listening() {
  const server = new HubServer({ hubs: [ChatHub], keys: testKeys });
  atTestEnd(() => server.stop({ graceMs: 0 }));
  return { server, port: await server.listen(0, localhost) };
}

describe('listen()', () => {
  it('answers the port, and 404 for what is not the hubs’', async () => {
    const { port } = await listening();
    expect(port).to.be.greaterThan(0);
    expect(await request(port, '/elsewhere')).to.have.property('status', 404);
  });

  it('keeps connections for longer than the minute after which balancers close them', async () => {
    const { port } = await listening();
    const connection = await RawConnection.request(port, 'POST', '/chat/negotiate', { 'Content-Length': '0' });
    const { headers } = await connection.head();
    expect(Number(/timeout=(\d+)/.exec(headers.get('keep-alive') ?? '')?.[1])).to.be.greaterThan(60);
  });

  it('takes requests whose head is as long as tokens make it', async () => {
    const { port } = await listening();
    const long = 'x'.repeat(30_000);
    expect(await post(port, `/chat/negotiate?more=${long}`)).to.have.property('status', 200);
    expect(await post(port, '/chat/negotiate', { Authorization: `Bearer ${long}` })).to.have.property('status', 200);
  });

  it('rejects when the port is taken, and the server can be stopped all the same', async () => {
    const { port } = await listening();
    const server = new HubServer({ hubs: [ChatHub], keys: testKeys });
    const error = await server.listen(port, localhost).catch((reason: unknown) => reason);
    expect(error).to.have.property('code', 'EADDRINUSE');
    await within(server.stop(), 5_000, 'the stop');
  });
});

describe('stop()', () => {
  it('takes its listeners from the HTTP server, which is the application’s again', async () => {
    const application = new Application();
    const http = application.serve();
    const { server } = attachHubs(http, { hubs: [ChatHub] });
    const { port } = await listenOn(http);
    await WireClient.connect(port, '/chat');
    await server.stop();
    expect(http.listenerCount('upgrade')).to.equal(0);
    expect(Object.hasOwn(http, 'emit') && http.emit !== Object.getPrototypeOf(http).emit).to.equal(false);
    expect(await post(port, '/chat/negotiate')).to.have.property('body', 'the application: POST /chat/negotiate');
  });

  it('leaves no timer', async () => {
    const clock = new VirtualClock();
    const { server, port } = await startServer({ hubs: [ChatHub], clock });
    await WireClient.connect(port, '/chat');
    await server.stop();
    expect(clock.timerCount).to.equal(0);
  });

  it('leaves no socket, also of a client that does not answer the close', async () => {
    const site = await startSite({ hubs: [ChatHub] });
    const deaf = await RawConnection.upgrade(site.port, '/chat');
    await deaf.head();
    deaf.socket.pause();
    await site.server.stop({ graceMs: 50 });
    await eventually(() => site.sockets.size === 0, 'the socket is closed');
  });

  it('frees the port of listen()', async () => {
    const { server, port } = await listening();
    // A connection that is kept alive by its client.
    const idle = await RawConnection.request(port, 'POST', '/chat/negotiate', { 'Content-Length': '0' });
    await idle.head();
    await server.stop();
    const next = createServer();
    next.listen(port, localhost);
    await within(once(next, 'listening'), 5_000, 'the port');
    expect((next.address() as AddressInfo).port).to.equal(port);
    next.close();
  });

  it('can be called twice, and before the start', async () => {
    const server = new HubServer({ hubs: [ChatHub], keys: testKeys });
    const first = server.stop();
    expect(server.stop()).to.equal(first);
    await within(first, 5_000, 'the stop');
  });

  for (const how of ['listen', 'attach'] as const) {
    it(`lets the process exit by itself, with clients of both families connected (${how})`, async function () {
      this.timeout(30_000);
      const file = fileURLToPath(new URL('./process-that-ends.js', import.meta.url));
      const child = fork(file, [how], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
      atTestEnd(() => child.kill('SIGKILL'));
      let output = '';
      child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
      const [code] = (await within(once(child, 'exit'), 20_000, 'the end of the process')) as [number | null];
      expect(output).to.equal('2 connected, 0 left\n');
      expect(code).to.equal(0);
    });
  }
});
