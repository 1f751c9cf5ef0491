import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HubServer } from '@hubline/core';
import { expect } from 'chai';
import { WebSocketServer } from 'ws';
import { atTestEnd } from '../../support/cleanup.js';
import { post, request } from '../../support/raw-http.js';
import { testKeys } from '../../support/servers.js';
import { attachHubs, listenOn } from '../../support/site.js';
import { negotiate, WireClient } from '../../support/wire-client.js';
import { Application, ChatHub, NewsHub } from './application.js';

const options = { hubs: [ChatHub] };

describe('mounting on an HTTP server', () => {
  for (const when of ['before', 'after'] as const) {
    describe(`${when} the application's own listener`, () => {
      async function mounted() {
        const application = new Application();
        const http = createServer();
        if (when === 'after') http.on('request', application.listener);
        attachHubs(http, options);
        if (when === 'before') http.on('request', application.listener);
        return { application, http, ...(await listenOn(http)) };
      }

      it('requests of the hubs are answered, and the application is not asked', async () => {
        const { application, port } = await mounted();
        const { connectionToken } = await negotiate(port, '/chat');
        const client = await WireClient.connect(port, `/chat?id=${connectionToken}`);
        expect(await client.invoke('add', [1, 2])).to.contain('"result":3');
        const classic = await request(port, '/signalr/negotiate?clientProtocol=2.1&connectionData=[]');
        expect(JSON.parse(classic.body)).to.have.property('ProtocolVersion');
        expect(application.asked.items).to.deep.equal([]);
      });

      it('foreign requests reach the application as they are, and nobody touches the answer', async () => {
        const { port } = await mounted();
        const answer = await request(port, '/elsewhere?id=1', { method: 'POST', body: 'a body' });
        expect(answer.body).to.equal('the application: POST /elsewhere?id=1 a body');
        expect(Object.keys(answer.headers).sort()).to.deep.equal(['connection', 'content-length', 'date']);
      });
    });
  }

  for (const [method, path] of [
    ['GET', '/chat'],
    ['GET', '/chat/'],
    ['GET', '/chat?room=1'],
    ['POST', '/chat'],
    ['GET', '/chat/style.css'],
  ] as const) {
    it(`${method} ${path} is the application's own page beside the hub`, async () => {
      const application = new Application();
      const http = application.serve();
      attachHubs(http, options);
      const { port } = await listenOn(http);
      const { body } = await request(port, path, { method });
      expect(body).to.equal(`the application: ${method} ${path}`);
    });
  }

  it('the path is read from the URL that an outer router has left, and told as the client sees it', async () => {
    const http = createServer((incoming, response) => {
      const mounted = Object.assign(incoming, { originalUrl: incoming.url, url: incoming.url?.replace('/app', '') });
      if (!server.handleRequest(mounted, response)) response.writeHead(404).end();
    });
    const server = new HubServer({ ...options, keys: testKeys });
    atTestEnd(() => server.stop({ graceMs: 0 }));
    const { port } = await listenOn(http);
    const { body } = await request(port, '/app/signalr/negotiate?clientProtocol=2.1&connectionData=[]');
    expect(JSON.parse(body)).to.have.property('Url', '/app/signalr');
  });

  describe('by hand', () => {
    async function byHand() {
      const server = new HubServer({ ...options, keys: testKeys });
      atTestEnd(() => server.stop({ graceMs: 0 }));
      const answers: boolean[] = [];
      const touched: unknown[] = [];
      const http = createServer((incoming: IncomingMessage, response: ServerResponse) => {
        const isOurs = server.handleRequest(incoming, response);
        answers.push(isOurs);
        if (!isOurs) response.end('the application');
      });
      http.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
        const listeners = (): number[] => socket.eventNames().map((event) => socket.listenerCount(event));
        const before = listeners();
        const isOurs = server.handleUpgrade(incoming, socket, head);
        answers.push(isOurs);
        if (isOurs) return;
        touched.push(before, listeners());
        socket.end('HTTP/1.1 418 A Teapot\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      });
      return { answers, touched, ...(await listenOn(http)) };
    }

    it('handleRequest and handleUpgrade answer what is theirs', async () => {
      const { answers, port } = await byHand();
      const { connectionToken } = await negotiate(port, '/chat');
      const client = await WireClient.connect(port, `/chat?id=${connectionToken}`);
      expect(await client.invoke('add', [1, 2])).to.contain('"result":3');
      expect(answers).to.deep.equal([true, true]);
    });

    it('they leave what is not theirs untouched', async () => {
      const { answers, touched, port } = await byHand();
      expect(await request(port, '/elsewhere')).to.have.property('body', 'the application');
      const upgrade = await request(port, '/elsewhere', { headers: { Connection: 'Upgrade', Upgrade: 'websocket' } });
      expect(upgrade.status).to.equal(418);
      expect(answers).to.deep.equal([false, false]);
      expect(touched[1]).to.deep.equal(touched[0]);
    });
  });

  it('two hub servers stand on one HTTP server, and one goes on when the other has stopped', async () => {
    const application = new Application();
    const http = application.serve();
    const first = attachHubs(http, options);
    attachHubs(http, { hubs: [NewsHub] });
    const { port } = await listenOn(http);
    await WireClient.connect(port, '/chat');
    await WireClient.connect(port, '/news');
    await first.server.stop();
    await WireClient.connect(port, '/news');
    const { body } = await post(port, '/chat/negotiate');
    expect(body).to.equal('the application: POST /chat/negotiate');
  });

  for (const order of ['before', 'after'] as const) {
    it(`another WebSocket server that listens ${order} the hubs has its paths, and the hubs have theirs`, async () => {
      const http = createServer();
      const listen = (): WebSocketServer => new WebSocketServer({ server: http, path: '/other' });
      let other = order === 'before' ? listen() : undefined;
      attachHubs(http, options);
      other ??= listen();
      other.on('connection', (socket) => socket.send('the other\u001e'));
      const { port } = await listenOn(http);
      const client = await WireClient.connect(port, '/chat');
      expect(await client.invoke('add', [1, 2])).to.contain('"result":3');
      const foreign = await WireClient.open(port, '/other');
      await foreign.messages.atLeast(1);
      expect(foreign.messages.items).to.deep.equal(['the other']);
    });
  }
});
