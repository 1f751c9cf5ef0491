import type { HubPipelineModule } from '@hubline/core';
import { expect } from 'chai';
import { eventually } from '../../../support/eventually.js';
import { post, RawConnection } from '../../../support/raw-http.js';
import { negotiate, WireClient } from '../../../support/wire-client.js';
import { authenticator } from '../hubs.js';
import { path, serve } from './wire-site.js';

/** Lets a WebSocket wait for leave to connect until the test decides. */
class SlowToAllow implements HubPipelineModule {
  readonly name = 'slow-to-allow';
  asked = 0;
  decide: () => void = () => undefined;
  private readonly decided = new Promise<void>((resolve) => (this.decide = resolve));

  readonly authorizeConnect: HubPipelineModule['authorizeConnect'] = async ({ request }, next) => {
    if (request.method === 'GET') {
      this.asked++;
      await this.decided;
    }
    return next();
  };
}

describe('the ASP.NET Core wire: opening a WebSocket', () => {
  it('neither a sub-protocol nor compression is chosen, whatever is offered', async () => {
    const { port } = await serve();
    const connection = await RawConnection.upgrade(port, path, {
      'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
      'Sec-WebSocket-Protocol': 'json, chat',
    });
    const { status, headers } = await connection.head();
    expect(status).to.equal(101);
    expect(headers.has('sec-websocket-extensions')).to.equal(false);
    expect(headers.has('sec-websocket-protocol')).to.equal(false);
  });

  it('an unknown id is a 404', async () => {
    const { port } = await serve();
    const connection = await RawConnection.upgrade(port, `${path}?id=unknown`);
    expect(await connection.ended()).to.match(/^HTTP\/1\.1 404 [^]*\r\n\r\nNo Connection with that ID$/);
  });

  it('the public id of a connection does not open it', async () => {
    const { port } = await serve();
    const { connectionId } = await negotiate(port, path);
    const connection = await RawConnection.upgrade(port, `${path}?id=${connectionId}`);
    expect(await connection.head()).to.have.property('status', 404);
  });

  it('an id of another hub is a 404', async () => {
    const { authenticate } = authenticator();
    const { port } = await serve({ authenticate });
    const { connectionToken } = await negotiate(port, path, { Authorization: 'Bearer ann:admin' });
    const connection = await RawConnection.upgrade(port, `/ops?id=${connectionToken}`, {
      Authorization: 'Bearer ann:admin',
    });
    expect(await connection.head()).to.have.property('status', 404);
  });

  it('a second WebSocket for a connection that is open is a 409, and does not disturb it', async () => {
    const { port } = await serve();
    const { connectionToken } = await negotiate(port, path);
    const client = await WireClient.connect(port, `${path}?id=${connectionToken}`);
    const second = await RawConnection.upgrade(port, `${path}?id=${connectionToken}`);
    expect(await second.head()).to.have.property('status', 409);
    expect(await client.invoke('add', [1, 2])).to.contain('"result":3');
  });

  it('a second WebSocket for a connection that is over is a 404', async () => {
    const site = await serve();
    const { connectionToken } = await negotiate(site.port, path);
    const client = await WireClient.connect(site.port, `${path}?id=${connectionToken}`);
    client.socket.close();
    await client.closed();
    await site.journal.nth('disconnect');
    await eventually(() => site.sockets.size === 0, 'the server has let go of the socket');
    const second = await RawConnection.upgrade(site.port, `${path}?id=${connectionToken}`);
    expect(await second.head()).to.have.property('status', 404);
  });

  it('one of two WebSockets that come together for an id is opened, the other is a 409', async () => {
    const slow = new SlowToAllow();
    const { port } = await serve({ modules: [slow] });
    const { connectionToken } = await negotiate(port, path);
    const both = [1, 2].map(() => RawConnection.upgrade(port, `${path}?id=${connectionToken}`));
    await eventually(() => slow.asked === 2, 'both have been asked for');
    slow.decide();
    const heads = await Promise.all(both.map(async (connection) => (await connection).head()));
    expect(heads.map(({ status }) => status).sort((a, b) => a - b)).to.deep.equal([101, 409]);
  });

  it('a client that leaves while a stage runs gets no 101, and may still come back with its id', async () => {
    const slow = new SlowToAllow();
    const site = await serve({ modules: [slow] });
    const { connectionToken } = await negotiate(site.port, path);
    const leaver = await RawConnection.upgrade(site.port, `${path}?id=${connectionToken}`);
    await eventually(() => slow.asked === 1, 'the stage runs');
    leaver.finish();
    expect(await leaver.ended()).to.equal('');
    slow.decide();
    await WireClient.connect(site.port, `${path}?id=${connectionToken}`);
    expect(leaver.text).to.equal('');
  });

  it('the id of another user is a 403, and stays good for its own', async () => {
    const { authenticate } = authenticator();
    const { port } = await serve({ authenticate });
    const { connectionToken } = await negotiate(port, path, { Authorization: 'Bearer ann' });
    for (const headers of [{ Authorization: 'Bearer bob' }, {}]) {
      const connection = await RawConnection.upgrade(port, `${path}?id=${connectionToken}`, headers);
      expect(await connection.head()).to.have.property('status', 403);
    }
    await WireClient.connect(port, `${path}?id=${connectionToken}`, { headers: { Authorization: 'Bearer ann' } });
  });

  it('who is refused by @authorize gets a 401 without a user and a 403 with one', async () => {
    const { authenticate } = authenticator();
    const { port } = await serve({ authenticate });
    const unknown = await RawConnection.upgrade(port, '/ops');
    const known = await RawConnection.upgrade(port, '/ops', { Authorization: 'Bearer ann' });
    expect(await unknown.head()).to.have.property('status', 401);
    expect(await known.head()).to.have.property('status', 403);
    expect(await post(port, '/ops/negotiate')).to.deep.include({ status: 401, body: '' });
    expect(await post(port, '/ops/negotiate', { Authorization: 'Bearer ann' })).to.have.property('status', 403);
  });
});
