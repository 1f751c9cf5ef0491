import { request } from 'node:http';
import { once } from 'node:events';
import { hub, Hub, HubServer } from '@hubline/core';
import { Refusal } from '@hubline/core/internal/dispatcher/refusal.js';
import { describeHubs } from '@hubline/core/internal/hubs/hub-descriptor.js';
import { readConnectionData } from '@hubline/core/internal/protocols/aspnet/connection-data.js';
import { expect } from 'chai';
import { atTestEnd } from '../../support/cleanup.js';
import { expectNothingHeld, rawApp, Refused } from '../../support/raw-client.js';
import { localhost, testKeys } from '../../support/servers.js';
import { defaultWaitMs, within } from '../../support/within.js';

@hub('chat')
class ChatHub extends Hub {}

@hub('ops')
class OpsHub extends Hub {}

const bad: readonly (readonly [what: string, text: string])[] = [
  ['is cut off', '[{"name":"chat"'],
  ['is nested too deeply', `${'['.repeat(200)}${']'.repeat(200)}`],
  ['is an object', '{"name":"chat"}'],
  ['is a text', '"chat"'],
  ['is a number', '7'],
  ['lists null', '[null]'],
  ['lists a text', '["chat"]'],
  ['lists a list', '[["name","chat"]]'],
  ['lists a hub without a name', '[{}]'],
  ['lists a null name', '[{"name":null}]'],
  ['lists a name that is a number', '[{"name":1}]'],
  ['lists an empty name', '[{"name":""}]'],
  ['lists an unknown hub', '[{"name":"chat"},{"name":"nobody"}]'],
  ['lists something that every object has', '[{"name":"constructor"}]'],
  ['lists a hub twice', '[{"name":"chat"},{"name":"ops"},{"name":"chat"}]'],
  ['lists a hub twice in different cases', '[{"name":"chat"},{"Name":"CHAT"}]'],
];

const none: readonly (readonly [what: string, text: string | undefined])[] = [
  ['is missing', undefined],
  ['is empty', ''],
  ['is null', 'null'],
  ['is an empty list', '[]'],
];

describe('connectionData', () => {
  for (const [what, text] of bad) {
    it(`that ${what} is a 500 at negotiate and at connect, and nothing is left`, async () => {
      await using app = rawApp({ hubs: [ChatHub, OpsHub] });
      const client = await app.classic(['chat']).negotiate();
      expect(await app.classic(['chat']).get('negotiate', { connectionData: text })).to.have.property('status', 500);
      const refused = await client.connect({ connectionData: text }).catch((error: unknown) => error);
      expect(refused).to.be.instanceOf(Refused).with.property('status', 500);
      expectNothingHeld(app.server);
      await client.connect();
      expect(app.server.connectionCount).to.equal(1);
    });
  }

  for (const [what, text] of none) {
    it(`that ${what} is a connection without hubs`, async () => {
      await using app = rawApp({ hubs: [ChatHub] });
      const client = app.classic(['chat']);
      await client.start({ connectionData: text });
      expect(app.server.connectionCount).to.equal(1);
      await client.abort();
      expectNothingHeld(app.server);
    });
  }

  it('is read whatever the case of its names', async () => {
    await using app = rawApp({ hubs: [ChatHub] });
    const client = app.classic([]);
    await client.start({ connectionData: '[{"NAME":"CHAT"}]' });
    await client.abort();
    expectNothingHeld(app.server);
  });

  it('that lists 10,000 hubs is a 400 before any of them is looked for', () => {
    const text = JSON.stringify(Array.from({ length: 10_000 }, (_, index) => ({ name: `hub${index}` })));
    const limits = { maxHubsPerConnection: 100, maxJsonDepth: 64 };
    expect(() => readConnectionData(text, describeHubs([ChatHub]), limits))
      .to.throw(Refusal)
      .with.property('status', 400);
  });

  it('that lists 10,000 things is a 400 where a URL can hold it', async () => {
    const server = new HubServer({ hubs: [ChatHub], keys: testKeys });
    atTestEnd(() => server.stop({ graceMs: 0 }));
    const port = await server.listen(0, localhost);
    // Every character of the list may stand in a query as it is.
    const path = `/signalr/negotiate?clientProtocol=2.1&connectionData=[${Array(10_000).fill('0').join(',')}]`;
    const asked = request({ host: localhost, port, path });
    asked.end();
    const [response] = (await within(once(asked, 'response'), defaultWaitMs, 'an answer')) as [
      { statusCode: number; resume(): void },
    ];
    response.resume();
    expect(response.statusCode).to.equal(400);
    expectNothingHeld(server);
  });
});
