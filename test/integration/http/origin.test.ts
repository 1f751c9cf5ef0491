import { expect } from 'chai';
import type { CorsOptions } from '@hubline/core';
import { authenticator } from '../../conformance/aspnetcore/hubs.js';
import { RawConnection, request } from '../../support/raw-http.js';
import { startServer } from '../../support/servers.js';
import { ChatHub } from './application.js';

const listed = 'https://app.example';

async function serve(cors?: CorsOptions | 'any') {
  const { seen, authenticate } = authenticator();
  const { port, url } = await startServer({ hubs: [ChatHub], authenticate, ...(cors !== undefined && { cors }) });
  return { port, url, seen };
}

const own = (port: number): string => `http://127.0.0.1:${port}`;

const origins: readonly (readonly [
  what: string,
  origin: (port: number) => string | undefined,
  cors: CorsOptions | 'any' | undefined,
  isAllowed: boolean,
])[] = [
  ['none at all', () => undefined, undefined, true],
  ['the site’s own', own, undefined, true],
  ['the site’s own while others are listed', own, { origins: [listed] }, true],
  ['a listed one', () => listed, { origins: ['https://other.example', listed] }, true],
  ['any one, with the check turned off', () => 'https://evil.example', 'any', true],
  ['null, with the check turned off', () => 'null', 'any', true],
  ['a foreign one', () => 'https://evil.example', undefined, false],
  ['a foreign one while others are listed', () => 'https://evil.example', { origins: [listed] }, false],
  ['null', () => 'null', undefined, false],
  ['null while others are listed', () => 'null', { origins: [listed] }, false],
  ['the same host with another port', (port) => `http://127.0.0.1:${port + 1}`, undefined, false],
  ['a host that begins like the site’s own', (port) => `${own(port)}.evil.example`, undefined, false],
  ['a listed one with another scheme', () => 'http://app.example', { origins: [listed] }, false],
  ['a listed one with a port', () => `${listed}:444`, { origins: [listed] }, false],
  ['a page from a file', () => 'file://', undefined, false],
  ['something that is no URL', () => 'evil', undefined, false],
];

describe('the origin of a page', () => {
  for (const [what, originOf, cors, isAllowed] of origins) {
    describe(`that is ${what}`, () => {
      const verdict = isAllowed ? 'is let in' : 'is a 403 before anything else';

      for (const [name, method, path] of [
        ['a negotiation', 'POST', '/chat/negotiate'],
        ['a classic negotiation', 'GET', '/signalr/negotiate?clientProtocol=2.1&connectionData=[]'],
      ] as const) {
        it(`${verdict} at ${name}`, async () => {
          const { port, seen } = await serve(cors);
          const origin = originOf(port);
          const headers: Record<string, string> = origin === undefined ? {} : { Origin: origin };
          const answer = await request(port, path, { method, headers });
          expect(answer.status).to.equal(isAllowed ? 200 : 403);
          if (!isAllowed) expect(answer.headers).not.to.have.property('access-control-allow-origin');
          expect(seen.count).to.equal(isAllowed ? 1 : 0);
        });
      }

      it(`${verdict} at a WebSocket`, async () => {
        const { port, seen } = await serve(cors);
        const origin = originOf(port);
        const connection = await RawConnection.upgrade(port, '/chat', origin === undefined ? {} : { Origin: origin });
        expect(await connection.head()).to.have.property('status', isAllowed ? 101 : 403);
        expect(seen.count).to.equal(isAllowed ? 1 : 0);
      });
    });
  }

  it('that is foreign is refused before an unknown id is', async () => {
    const { port } = await serve();
    const connection = await RawConnection.upgrade(port, '/chat?id=unknown', { Origin: 'https://evil.example' });
    expect(await connection.head()).to.have.property('status', 403);
  });

  describe('that is listed', () => {
    const headers = { Origin: listed };

    it('is named in the answer, with leave to send cookies', async () => {
      const { port } = await serve({ origins: [listed] });
      const answer = await request(port, '/chat/negotiate', { method: 'POST', headers });
      expect(answer.headers).to.include({
        'access-control-allow-origin': listed,
        'access-control-allow-credentials': 'true',
        vary: 'Origin',
      });
    });

    it('is not given leave to send cookies with credentials: false', async () => {
      const { port } = await serve({ origins: [listed], credentials: false });
      const answer = await request(port, '/chat/negotiate', { method: 'POST', headers });
      expect(answer.headers).to.have.property('access-control-allow-origin', listed);
      expect(answer.headers).not.to.have.property('access-control-allow-credentials');
    });

    it('may read errors too', async () => {
      const { port } = await serve({ origins: [listed] });
      const answer = await request(port, '/chat?id=unknown', { headers });
      expect(answer.status).to.equal(404);
      expect(answer.headers).to.have.property('access-control-allow-origin', listed);
    });

    it('has its preflight answered, without anybody being asked who it is', async () => {
      const { port, seen } = await serve({ origins: [listed] });
      const asked = 'authorization,x-requested-with,x-signalr-user-agent';
      const answer = await request(port, '/chat/negotiate?negotiateVersion=1', {
        method: 'OPTIONS',
        headers: {
          ...headers,
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': asked,
        },
      });
      expect(answer).to.deep.include({ status: 204, body: '' });
      expect(answer.headers).to.include({
        'access-control-allow-origin': listed,
        'access-control-allow-credentials': 'true',
        'access-control-allow-headers': asked,
      });
      expect(answer.headers['access-control-allow-methods']?.split(', ')).to.include.members(['GET', 'POST']);
      expect(seen.count).to.equal(0);
    });
  });

  it('that is foreign has its preflight refused', async () => {
    const { port } = await serve({ origins: [listed] });
    const answer = await request(port, '/chat/negotiate', {
      method: 'OPTIONS',
      headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' },
    });
    expect(answer.status).to.equal(403);
    expect(answer.headers).not.to.have.property('access-control-allow-origin');
  });
});
