import { HubServer } from '@hubline/core';
import { expect } from 'chai';

describe('listen() on several ports', () => {
  it('stop() closes them all', async () => {
    const server = new HubServer({ hubs: [], keys: ['k'] });
    const ports = [await server.listen(0, '127.0.0.1'), await server.listen(0, '127.0.0.1')];
    const ping = (port: number) => fetch(`http://127.0.0.1:${port}/signalr/ping`).then(({ status }) => status);
    expect(await Promise.all(ports.map(ping))).to.deep.equal([200, 200]);
    await server.stop();
    for (const port of ports) expect(await ping(port).catch(() => 'closed')).to.equal('closed');
  });
});
