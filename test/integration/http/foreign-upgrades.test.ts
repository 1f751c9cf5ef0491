import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import { RawConnection } from '../../support/raw-http.js';
import { attachHubs, listenOn } from '../../support/site.js';
import { Application, ChatHub } from './application.js';

/** What Java's client and `curl --http2` put on every request. */
const h2c = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQAAP__' };

async function serve(application = new Application()) {
  const http = application.serve();
  attachHubs(http, { hubs: [ChatHub] });
  return { application, http, ...(await listenOn(http)) };
}

describe('an upgrade that is not the hubs’', () => {
  it('a foreign WebSocket gets a complete 404 where nobody else listens', async () => {
    const { port, application } = await serve();
    const connection = await RawConnection.upgrade(port, '/elsewhere');
    const { status, headers } = await connection.head();
    expect(status).to.equal(404);
    expect(headers.get('connection')).to.equal('close');
    expect((await connection.ended()).split('\r\n\r\n')[1]).to.have.length(Number(headers.get('content-length')));
    expect(application.asked.items).to.deep.equal([]);
  });

  it('it gets one 404 where two hub servers and nobody else listen', async () => {
    const http = createServer();
    attachHubs(http, { hubs: [ChatHub] });
    attachHubs(http, { hubs: [] });
    const { port } = await listenOn(http);
    const connection = await RawConnection.upgrade(port, '/elsewhere');
    expect((await connection.ended()).match(/HTTP\/1\.1 404/g)).to.have.length(1);
  });

  for (const when of ['before', 'after'] as const) {
    it(`a foreign WebSocket is left alone where somebody listens who came ${when} the hubs`, async () => {
      const http = createServer();
      const listen = () =>
        http.on('upgrade', (_request, socket: Duplex) =>
          socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello'),
        );
      if (when === 'before') listen();
      attachHubs(http, { hubs: [ChatHub] });
      if (when === 'after') listen();
      const { port } = await listenOn(http);
      const connection = await RawConnection.upgrade(port, '/elsewhere');
      const text = await connection.ended();
      expect(text).to.match(/^HTTP\/1\.1 101 [^]*hello$/);
      expect(text).not.to.contain('404');
    });
  }

  it('a negotiation that offers h2c gets its ordinary answer', async () => {
    const { port, application } = await serve();
    const connection = await RawConnection.request(port, 'POST', '/chat/negotiate?negotiateVersion=1', {
      ...h2c,
      'Content-Length': '0',
    });
    const { status, headers } = await connection.head();
    expect(status).to.equal(200);
    expect(headers.get('content-type')).to.match(/^application\/json/);
    expect((await connection.ended()).split('\r\n\r\n')[1]).to.match(/^\{"negotiateVersion":1,.*\}$/);
    expect(application.asked.items).to.deep.equal([]);
  });

  it('a classic negotiation that offers h2c gets its ordinary answer', async () => {
    const { port } = await serve();
    const path = '/signalr/negotiate?clientProtocol=2.1&connectionData=[]';
    const connection = await RawConnection.request(port, 'GET', path, h2c);
    expect(await connection.ended()).to.match(/^HTTP\/1\.1 200 [^]*"ProtocolVersion":"2\.1"/);
  });

  it('a page that is asked for with h2c reaches the application', async () => {
    const { port } = await serve();
    for (const path of ['/elsewhere', '/chat']) {
      const connection = await RawConnection.request(port, 'GET', path, h2c);
      const text = await connection.ended();
      expect(text).to.match(/^HTTP\/1\.1 200 /);
      expect(text).to.match(/\r\nConnection: close\r\n/i);
      expect(text).to.contain(`the application: GET ${path}`);
    }
  });

  it('a foreign request with a body and h2c gets a complete answer', async () => {
    const { port } = await serve();
    const connection = await RawConnection.request(port, 'POST', '/elsewhere', { ...h2c, 'Content-Length': '6' });
    connection.socket.write('a body');
    const text = await connection.ended();
    expect(text).to.match(/^HTTP\/1\.1 404 /);
    expect(text).to.match(/\r\nConnection: close\r\n/i);
  });

  it('h2c is left to whoever listens for upgrades', async () => {
    const { port, http, application } = await serve();
    http.on('upgrade', (_request, socket: Duplex) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    const connection = await RawConnection.request(port, 'GET', '/elsewhere', h2c);
    expect(await connection.ended()).to.match(/^HTTP\/1\.1 200 OK[^]*ok$/);
    expect(application.asked.items).to.deep.equal([]);
  });

  for (const leave of ['reset', 'finish'] as const) {
    it(`a client that leaves at once (${leave}) harms nobody`, async () => {
      const { port } = await serve();
      for (const path of ['/elsewhere', '/chat?id=unknown', '/chat/negotiate']) {
        for (const headers of [{}, { Origin: 'https://evil.example' }]) {
          const connection = await RawConnection.upgrade(port, path, headers);
          connection[leave]();
        }
        const plain = await RawConnection.request(port, 'POST', path, { ...h2c, 'Content-Length': '0' });
        plain[leave]();
      }
      const last = await RawConnection.request(port, 'GET', '/', { Connection: 'close' });
      expect(await last.head()).to.have.property('status', 200);
    });
  }
});
