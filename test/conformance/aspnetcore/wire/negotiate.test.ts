import { expect } from 'chai';
import { post, RawConnection, request } from '../../../support/raw-http.js';
import { negotiate, WireClient } from '../../../support/wire-client.js';
import { path, serve } from './wire-site.js';

describe('the ASP.NET Core wire: negotiate', () => {
  it('version 1 answers an id, another token, and the transports, in the order of the reference', async () => {
    const { port } = await serve();
    const { status, headers, body } = await post(port, `${path}/negotiate?negotiateVersion=1`);
    expect(status).to.equal(200);
    expect(headers['content-type']).to.match(/^application\/json/);
    expect(headers['content-length']).to.equal(String(body.length));
    const [, id, token] = /"connectionId":"([\w-]{22})","connectionToken":"([\w-]{22})"/.exec(body) ?? [];
    expect(id).to.be.a('string').and.not.equal(token);
    expect(body).to.equal(
      `{"negotiateVersion":1,"connectionId":"${id}","connectionToken":"${token}",` +
        '"availableTransports":[{"transport":"WebSockets","transferFormats":["Text","Binary"]}]}',
    );
  });

  for (const query of ['', '?negotiateVersion=0', '?NEGOTIATEVERSION=0']) {
    it(`version 0 has one value for both ('${query}'), and it opens the connection`, async () => {
      const { port } = await serve();
      const { body } = await post(port, `${path}/negotiate${query}`);
      const answer = JSON.parse(body) as Record<string, unknown>;
      expect(answer).to.have.all.keys('negotiateVersion', 'connectionId', 'availableTransports');
      expect(answer['negotiateVersion']).to.equal(0);
      const client = await WireClient.connect(port, `${path}?id=${answer['connectionId'] as string}`);
      expect(await client.invoke('whoAmI', [])).to.contain(`"connectionId":"${answer['connectionId'] as string}"`);
    });
  }

  it('a higher version is answered with 1', async () => {
    const { port } = await serve();
    const { body } = await post(port, `${path}/negotiate?negotiateVersion=7`);
    expect(JSON.parse(body)).to.have.property('negotiateVersion', 1);
  });

  for (const query of ['abc', '', '1.5', '1&negotiateVersion=1']) {
    it(`what is no number gets an error with status 200 ('${query}')`, async () => {
      const { port } = await serve();
      const { status, body } = await post(port, `${path}/negotiate?negotiateVersion=${query}`);
      expect(status).to.equal(200);
      expect(body).to.equal('{"error":"The client requested a non-integer protocol version."}');
    });
  }

  it('a negative version gets an error that names it', async () => {
    const { port } = await serve();
    const { status, body } = await post(port, `${path}/negotiate?negotiateVersion=-1`);
    expect(status).to.equal(200);
    expect(body).to.equal(
      `{"error":"The client requested version '-1', but the server does not support this version."}`,
    );
  });

  it('stateful reconnect is not granted', async () => {
    const { port } = await serve();
    const { body } = await post(port, `${path}/negotiate?negotiateVersion=1&useStatefulReconnect=true`);
    expect(JSON.parse(body)).not.to.have.property('useStatefulReconnect');
  });

  it('a slash at the end does no harm', async () => {
    const { port } = await serve();
    const { body } = await post(port, `${path}/negotiate/?negotiateVersion=1`);
    expect(JSON.parse(body)).to.have.property('connectionToken');
  });

  for (const method of ['GET', 'PUT', 'DELETE']) {
    it(`${method} is a 405 without a body`, async () => {
      const { port } = await serve();
      const { status, headers, body } = await request(port, `${path}/negotiate?negotiateVersion=1`, { method });
      expect(status).to.equal(405);
      expect(headers['content-type']).to.equal('text/plain');
      expect(body).to.equal('');
    });
  }

  it('a WebSocket there is a 405', async () => {
    const { port } = await serve();
    const connection = await RawConnection.upgrade(port, `${path}/negotiate`);
    expect(await connection.head()).to.have.property('status', 405);
  });

  it('what is negotiated and not opened is forgotten after 15 s', async () => {
    const { port, clock } = await serve();
    const { connectionToken: used } = await negotiate(port, path);
    const { connectionToken: late } = await negotiate(port, path);
    await clock.advance(14_000);
    await WireClient.connect(port, `${path}?id=${used}`);
    await clock.advance(2_000);
    const connection = await RawConnection.upgrade(port, `${path}?id=${late}`);
    expect(await connection.head()).to.have.property('status', 404);
  });

  it('no more than maxNegotiationsWaiting wait', async () => {
    const { port, clock } = await serve({ maxNegotiationsWaiting: 2 });
    await negotiate(port, path);
    await negotiate(port, path);
    expect(await post(port, `${path}/negotiate?negotiateVersion=1`)).to.have.property('status', 503);
    await clock.advance(16_000);
    expect(await post(port, `${path}/negotiate?negotiateVersion=1`)).to.have.property('status', 200);
  });
});
