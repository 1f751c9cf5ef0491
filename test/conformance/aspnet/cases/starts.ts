import { HubException, type HubPipelineModule } from '@hubline/core';
import { VirtualClock } from '@hubline/core/testing';
import { expect } from 'chai';
import { ClassicClient } from '../../../support/classic-client.js';
import { Journal } from '../../../support/journal.js';
import { startServer } from '../../../support/servers.js';
import { connected, roomsOnly, type Driver } from './driver.js';
import { basics, RoomsHub } from './hubs.js';

/** How connections begin. */
export function starts(driver: Driver): void {
  it('a start gives one connect for each hub that the client listens to', async () => {
    const journal = new Journal();
    const { url } = await startServer({ ...basics, modules: [journal] });
    const client = await connected(driver, url, { hubs: { rooms: ['note'], news: ['headline'] } });
    expect(journal.entries.items).to.have.deep.members([
      { stage: 'connect', hub: 'rooms', id: client.id },
      { stage: 'connect', hub: 'news', id: client.id },
    ]);
  });

  for (const path of ['/signalr/', '/SignalR', '/signalr/js']) {
    it(`the client may be given ${path} as the server's address`, async () => {
      const { url } = await startServer(basics);
      const client = await connected(driver, url, { path });
      expect(await client.invoke('rooms', 'echo', 1)).to.equal(1);
    });
  }

  it("the application's own query reaches it with every request", async () => {
    const seen = new Set<string>();
    const { url } = await startServer({
      ...basics,
      authenticate: ({ path, query }) => {
        seen.add(`${path} ${query.get('lang')}`);
        return undefined;
      },
    });
    const client = await connected(driver, url, { query: { lang: 'de & fr+' } });
    await client.stop();
    const suffixes = ['negotiate', 'connect', 'start'];
    for (const suffix of suffixes) expect([...seen]).to.include(`/signalr/${suffix} de & fr+`);
  });

  it('what is sent to it while it connects arrives once', async () => {
    const welcome: HubPipelineModule = {
      name: 'welcome',
      async connect({ connection }, next) {
        await next();
        await server.hub(RoomsHub).clients.client(connection.id).note('welcome');
      },
    };
    const { server, url } = await startServer({ ...basics, modules: [welcome] });
    const client = await connected(driver, url);
    await client.received('note');
    expect(await client.invoke('rooms', 'echo', 1)).to.equal(1);
    expect(client.messages('note')).to.deep.equal([['welcome']]);
  });

  it('a connection that a hub refuses does not start, and is not tried again', async () => {
    const journal = new Journal();
    const refusing: HubPipelineModule = {
      name: 'refusing',
      connect() {
        throw new HubException('Not today.');
      },
    };
    const { url, server } = await startServer({ ...basics, modules: [refusing, journal] });
    const client = await ClassicClient.open(driver(), url, { hubs: roomsOnly, reconnectDelayMs: 1 });
    const error = await client.start().then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    expect(error).to.be.instanceOf(Error);
    await client.event('disconnected');
    expect(client.events.filter(({ type }) => type === 'reconnecting')).to.deep.equal([]);
    expect(journal.entries.items).to.deep.equal([]);
    expect(server.connectionCount).to.equal(0);
  });

  it('a hub that nobody may connect to is refused at negotiate', async () => {
    const refusing: HubPipelineModule = { name: 'refusing', authorizeConnect: () => false };
    const { url } = await startServer({ ...basics, modules: [refusing] });
    const client = await ClassicClient.open(driver(), url, { hubs: roomsOnly });
    const error = await client.start().then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    expect(error?.message).to.contain('Error during negotiation request.');
  });

  it('keep-alives are no messages to it, and no errors', async () => {
    const clock = new VirtualClock();
    const { url } = await startServer({ ...basics, clock });
    const client = await connected(driver, url);
    const seen = client.events.count;
    await clock.advance(11_000);
    expect(await client.invoke('rooms', 'echo', 1)).to.equal(1);
    expect(client.events.items.slice(seen)).to.deep.equal([{ type: 'answer', hub: 'rooms', method: 'echo' }]);
  });
}
