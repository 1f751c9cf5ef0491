import type { HubPipelineModule } from '@hubline/core';
import { expect } from 'chai';
import { ClassicWire, connectionData } from '../../../support/classic-wire.js';
import { NewsHub, RoomsHub } from '../cases/hubs.js';
import { setUp, refusal, json } from './set-up.js';

describe('quirks of the classic wire: negotiate', () => {
  const versions: readonly [asked: string | undefined, answered: string][] = [
    ['1.2', '1.2'],
    ['1.3', '1.3'],
    ['1.4', '1.4'],
    ['1.5', '1.5'],
    ['2.0', '2.0'],
    ['2.1', '2.1'],
    ['2.2', '2.1'],
    ['99.0', '2.1'],
    ['1.1', '1.2'],
    ['0.9', '1.2'],
    ['1337', '1.2'],
    ['garbage', '1.2'],
    ['', '1.2'],
    [undefined, '1.2'],
  ];
  for (const [asked, answered] of versions) {
    it(`the protocol ${asked === undefined ? 'that is missing' : `'${asked}'`} is answered with ${answered}`, async () => {
      const { wire } = await setUp();
      const answer = await wire.get('/signalr/negotiate', wire.query({ clientProtocol: asked }));
      expect(json(answer).ProtocolVersion).to.equal(answered);
    });
  }

  it('the answer has exactly the members that clients know, none of them null, no availableTransports', async () => {
    const { wire } = await setUp();
    const answer = await wire.get('/signalr/negotiate', wire.query());
    expect(answer.status).to.equal(200);
    expect(answer.headers['content-type']).to.equal('application/json; charset=UTF-8');
    expect(answer.headers['x-content-type-options']).to.equal('nosniff');
    const { ConnectionToken: token, ConnectionId: id, ...rest } = json(answer);
    expect(rest).to.deep.equal({
      Url: '/signalr',
      KeepAliveTimeout: 20,
      DisconnectTimeout: 30,
      ConnectionTimeout: 110,
      TryWebSockets: true,
      ProtocolVersion: '2.1',
      TransportConnectTimeout: 5,
      LongPollDelay: 0,
    });
    expect(token).to.be.a('string').and.not.be.empty;
    expect(id).to.match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  it('times are told in seconds, as the server is set', async () => {
    const { wire } = await setUp(
      {},
      { keepAliveMs: 2_500, disconnectTimeoutMs: 12_000, transportConnectTimeoutMs: 7_000 },
    );
    const answer = json(await wire.get('/signalr/negotiate', wire.query()));
    expect(answer).to.include({ KeepAliveTimeout: 5, DisconnectTimeout: 12, TransportConnectTimeout: 7 });
  });

  const urls: readonly [path: string, url: string][] = [
    ['/signalr/negotiate', '/signalr'],
    ['/signalr//negotiate', '/signalr'],
    ['/SignalR/Negotiate', '/SignalR'],
    ['/signalr/js/negotiate', '/signalr/js'],
  ];
  for (const [path, url] of urls) {
    it(`a client that negotiates at ${path} connects at ${url}`, async () => {
      const { wire } = await setUp();
      const answer = json(await wire.get(path, wire.query()));
      expect(answer.Url).to.equal(url);
      const query = wire.query({ connectionToken: answer.ConnectionToken as string, transport: 'webSockets' });
      const socket = await wire.open(`${url}/connect`, query);
      expect(await socket.frame(1)).to.contain('"S":1');
      // The other requests go to the address that the client was given.
      const start = path.replace(/negotiate/i, 'start');
      expect((await wire.get(start, query)).status).to.equal(200);
    });
  }

  it('any method will do, also POST', async () => {
    const { wire } = await setUp();
    expect((await wire.get('/signalr/negotiate', wire.query(), { method: 'POST' })).status).to.equal(200);
  });

  it('an old connection token that is sent along is not read', async () => {
    const { wire } = await setUp();
    const answer = await wire.get('/signalr/negotiate', wire.query({ connectionToken: 'of another time' }));
    expect(answer.status).to.equal(200);
  });

  it('each negotiation has an id and a token of its own', async () => {
    const { wire } = await setUp();
    const answers = [await wire.get('/signalr/negotiate'), await wire.get('/signalr/negotiate')].map(json);
    expect(new Set(answers.map(({ ConnectionId: id }) => id)).size).to.equal(2);
    expect(new Set(answers.map(({ ConnectionToken: token }) => token)).size).to.equal(2);
  });

  it('names in the query ignore case', async () => {
    const { wire } = await setUp();
    const answer = await wire.get('/signalr/negotiate', {
      CLIENTPROTOCOL: '1.5',
      connectiondata: connectionData(['isNotThere']),
    });
    expect(answer.status, 'the list of hubs has been read').to.equal(500);
    expect(json(await wire.get('/signalr/negotiate?CLIENTPROTOCOL=1.5')).ProtocolVersion).to.equal('1.5');
  });

  it('a name that is repeated has all its values, joined by commas', async () => {
    const { wire } = await setUp();
    const answer = await wire.get(
      '/signalr/negotiate?clientProtocol=2.1&connectionData=[{"name":"rooms"}&connectionData={"name":"news"}]'.replaceAll(
        '"',
        '%22',
      ),
    );
    expect(answer.status).to.equal(200);
    const twice = await wire.get('/signalr/negotiate?clientProtocol=1.5&clientProtocol=1.5');
    expect(json(twice).ProtocolVersion, 'a version of two is none').to.equal('1.2');
  });

  it('a plus in the query is a space', async () => {
    const { url, journal } = await setUp();
    const wire = new ClassicWire(url);
    const answer = json(await wire.get('/signalr/negotiate?clientProtocol=2.1&user=Ann+Smith&connectionData=+[+]'));
    const token = encodeURIComponent(answer.ConnectionToken as string);
    const query = `transport=webSockets&clientProtocol=2.1&user=Ann%20Smith&connectionToken=${token}`;
    await wire.open(`/signalr/connect?${query}&connectionData=%5B%7B%22name%22:+%22rooms%22%7D%5D`);
    expect((await wire.get(`/signalr/start?${query}`)).status).to.equal(200);
    expect((await journal.nth('connect')).hub).to.equal('rooms');
  });

  const lists: readonly [what: string, text: string | undefined][] = [
    ['is missing', undefined],
    ['is empty', ''],
    ['is null', 'null'],
    ['is an empty list', '[]'],
  ];
  for (const [what, text] of lists) {
    it(`a connection whose connectionData ${what} has no hub's events or messages, and can call every hub`, async () => {
      const { wire, journal, server } = await setUp();
      const more = { connectionData: text };
      const answer = await wire.get('/signalr/negotiate', wire.query(more));
      wire.token = json(answer).ConnectionToken as string;
      const socket = await wire.connect(more);
      expect((await wire.start(more)).status).to.equal(200);
      await server.hub(RoomsHub).clients.all.note('to all');
      socket.send({ H: 'rooms', M: 'noteThenAnswer', A: [1], I: 0 });
      expect(await socket.answer(0)).to.equal('{"R":"answered","I":"0"}');
      expect(socket.messages).to.deep.equal([]);
      expect(journal.entries.items).to.deep.equal([]);
    });
  }

  it("the hubs' names in connectionData ignore case, and so does the word 'name'", async () => {
    const { wire, journal } = await setUp();
    const more = { connectionData: '[{"Name":"ROOMS"},{"NAME":"News","other":1}]' };
    wire.token = json(await wire.get('/signalr/negotiate', wire.query(more))).ConnectionToken as string;
    await wire.connect(more);
    await wire.start(more);
    expect(journal.of('connect').map(({ hub }) => hub)).to.have.members(['rooms', 'news']);
  });

  it('connectionData may come without percent signs, as the .NET client sends it', async () => {
    const { wire } = await setUp();
    const answer = await wire.get(
      '/signalr/negotiate?clientProtocol=2.1&connectionData=[%7B%22Name%22:%22rooms%22%7D]',
    );
    expect(answer.status).to.equal(200);
  });

  const wrong: readonly [what: string, text: string][] = [
    ['names an unknown hub', '[{"name":"isNotThere"}]'],
    ['names a hub twice', '[{"name":"rooms"},{"name":"ROOMS"}]'],
    ['names nothing', '[{"name":null}]'],
    ['has no name', '[{}]'],
    ['is no list', '{"name":"rooms"}'],
    ['is no JSON', '[{'],
  ];
  for (const [what, text] of wrong) {
    it(`connectionData that ${what} is a 500, at negotiate and at connect`, async () => {
      const { wire } = await setUp();
      expect((await wire.get('/signalr/negotiate', wire.query({ connectionData: text }))).status).to.equal(500);
      await wire.negotiate();
      expect(await refusal(wire.connect({ connectionData: text }))).to.equal(500);
    });
  }

  it('a hub that refuses somebody anonymous is a 401, somebody known a 403', async () => {
    const refusing: HubPipelineModule = { name: 'refusing', authorizeConnect: ({ hub }) => hub.name !== 'news' };
    const { wire } = await setUp({ hubs: ['news'] }, { modules: [refusing] });
    expect((await wire.get('/signalr/negotiate', wire.query())).status).to.equal(401);
    expect((await wire.get('/signalr/negotiate', wire.query({ user: 'ann' }))).status).to.equal(403);
  });

  it('a hub that refuses is left out where another does not', async () => {
    const refusing: HubPipelineModule = { name: 'refusing', authorizeConnect: ({ hub }) => hub.name !== 'news' };
    const { wire, journal, server } = await setUp({ hubs: ['rooms', 'news'] }, { modules: [refusing] });
    const socket = await wire.begin();
    await server.hub(NewsHub).clients.all.headline('not for you');
    await server.hub(RoomsHub).clients.all.note('for you');
    await socket.message('for you');
    expect(socket.messages).to.have.length(1);
    expect(journal.of('connect').map(({ hub }) => hub)).to.deep.equal(['rooms']);
  });
});
