import { once } from 'node:events';
import { request, type IncomingMessage, type RequestOptions } from 'node:http';
import { expect } from 'chai';
import { ChatSample } from '../support/chat-sample.js';
import { within } from '../support/within.js';

const page = '0123456789abcdef';

describe('the chat sample, over HTTP', function () {
  this.timeout(20_000);
  let sample: ChatSample;

  before('start the sample', async () => {
    sample = await ChatSample.start();
  });
  after('stop the sample', () => sample.stop());

  async function send(options: RequestOptions, body?: object): Promise<IncomingMessage> {
    const { hostname, port } = new URL(sample.url);
    const sent = request({ hostname, port, ...options });
    sent.end(body && JSON.stringify(body));
    const [response] = (await within(once(sent, 'response'), 5_000, String(options.path))) as [IncomingMessage];
    response.resume();
    return response;
  }

  const signIn = (name: string, headers = {}) =>
    send({ path: `/api/session?page=${page}`, method: 'POST', headers }, { name });

  it('refuses who is not signed in at both endpoints of the hub', async () => {
    const hubs = encodeURIComponent('[{"name":"chat"}]');
    const classic = await send({ path: `/signalr/negotiate?clientProtocol=2.1&connectionData=${hubs}` });
    const modern = await send({ path: '/chat/negotiate?negotiateVersion=1', method: 'POST' });
    expect([classic.statusCode, modern.statusCode]).to.deep.equal([401, 401]);
  });

  it('takes the cookie of one page for that page alone', async () => {
    const [cookie = ''] = (await signIn('Ann')).headers['set-cookie'] ?? [];
    const options = { method: 'POST', headers: { cookie: cookie.split(';')[0] } };
    const own = await send({ ...options, path: `/chat/negotiate?negotiateVersion=1&page=${page}` });
    const other = await send({ ...options, path: '/chat/negotiate?negotiateVersion=1&page=fedcba9876543210' });
    expect([own.statusCode, other.statusCode]).to.deep.equal([200, 401]);
  });

  for (const name of ['', ' ', '-', '<b>', 'a'.repeat(25), 'Ann;'])
    it(`refuses the name ${JSON.stringify(name)}`, async () => {
      expect((await signIn(name)).statusCode).to.equal(400);
    });

  it('refuses what the page of another site asks for', async () => {
    expect((await signIn('Ann', { origin: 'http://elsewhere.example' })).statusCode).to.equal(403);
  });

  it('shows the memberships to no page that was reached by the name of another machine', async () => {
    const path = '/api/admin/members';
    const own = await send({ path });
    const other = await send({ path, headers: { host: 'elsewhere.example' } });
    expect([own.statusCode, other.statusCode]).to.deep.equal([200, 403]);
  });

  for (const path of [
    '/nothing',
    '/assets/../package.json',
    '/page/../server/main.js',
    '/assets/%2e%2e%2fpackage.json',
  ])
    it(`answers 404 for ${path}`, async () => {
      expect((await send({ path })).statusCode).to.equal(404);
    });

  it('answers 404 to a WebSocket for anything but the hub', async () => {
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
    const key = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
    const response = await send({ path: '/elsewhere', headers: { ...headers, ...key } });
    expect(response.statusCode).to.equal(404);
  });
});
