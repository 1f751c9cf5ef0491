import { createServer } from 'node:http';
import { VirtualClock } from '@hubline/core/testing';
import { hub, Hub, hubMethod, type HubPipelineModule } from '@hubline/core';
import { expect } from 'chai';
import { eventually } from '../../support/eventually.js';
import { Journal } from '../../support/journal.js';
import { post, RawConnection, request } from '../../support/raw-http.js';
import type { TestServerOptions } from '../../support/servers.js';
import { attachHubs, listenOn, type Site } from '../../support/site.js';
import { negotiate, separator, WireClient, type WireOptions } from '../../support/wire-client.js';
import { authenticator, OpsHub, RoomsHub } from './hubs.js';

const path = '/rooms';
const generic = '{"type":7,"error":"Connection closed with an error.","allowReconnect":true}';
const ping = { type: 6 };

interface WireSite extends Site {
  readonly clock: VirtualClock;
  readonly journal: Journal;
}

/** A site whose time stands still. */
async function serve(options: Partial<TestServerOptions> = {}): Promise<WireSite> {
  const clock = new VirtualClock();
  const journal = new Journal();
  const http = createServer();
  const attached = attachHubs(http, { hubs: [RoomsHub, OpsHub], modules: [journal], clock, ...options });
  return { ...attached, http, ...(await listenOn(http)), clock, journal };
}

async function connect(options: Partial<TestServerOptions> = {}, wire: WireOptions = {}) {
  const site = await serve(options);
  return { site, client: await WireClient.connect(site.port, path, wire) };
}

/** All disconnects, when none can follow any more. */
async function disconnects({ server, journal }: WireSite): Promise<string[]> {
  await server.stop({ graceMs: 0 });
  return journal.of('disconnect').map(({ reason }) => reason);
}

describe('the ASP.NET Core wire', () => {
  describe('negotiate', () => {
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

  describe('opening a WebSocket', () => {
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
      let decide = (): void => undefined;
      const decided = new Promise<boolean>((resolve) => (decide = () => resolve(true)));
      let asked = 0;
      const slow: HubPipelineModule = {
        name: 'slow',
        async authorizeConnect({ request: { method } }, next) {
          if (method !== 'GET') return next();
          asked++;
          return (await decided) && next();
        },
      };
      const { port } = await serve({ modules: [slow] });
      const { connectionToken } = await negotiate(port, path);
      const both = [1, 2].map(() => RawConnection.upgrade(port, `${path}?id=${connectionToken}`));
      await eventually(() => asked === 2, 'both have been asked for');
      decide();
      const heads = await Promise.all(both.map(async (connection) => (await connection).head()));
      expect(heads.map(({ status }) => status).sort((a, b) => a - b)).to.deep.equal([101, 409]);
    });

    it('a client that leaves while a stage runs gets no 101, and may still come back with its id', async () => {
      let decide = (): void => undefined;
      const decided = new Promise<boolean>((resolve) => (decide = () => resolve(true)));
      let asked = 0;
      const slow: HubPipelineModule = {
        name: 'slow',
        async authorizeConnect({ request: { method } }, next) {
          if (method !== 'GET') return next();
          asked++;
          return (await decided) && next();
        },
      };
      const site = await serve({ modules: [slow] });
      const { connectionToken } = await negotiate(site.port, path);
      const leaver = await RawConnection.upgrade(site.port, `${path}?id=${connectionToken}`);
      await eventually(() => asked === 1, 'the stage runs');
      leaver.finish();
      expect(await leaver.ended()).to.equal('');
      decide();
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

  describe('the handshake', () => {
    /** What a client gets that says this first. */
    async function answerTo(first: string | Buffer, options: Partial<TestServerOptions> = {}) {
      const site = await serve(options);
      const client = await WireClient.open(site.port, path);
      client.socket.send(first);
      const closed = client.closed();
      const [answer] = await client.messages.atLeast(1);
      return { site, client, closed, answer: answer as string };
    }

    it('is answered with {} in a text frame', async () => {
      const { client } = await answerTo(`{"protocol":"json","version":1}${separator}`);
      expect(client.frames.items[0]).to.deep.equal({ text: `{}${separator}`, binary: false });
    });

    for (const version of [0, 1, 2]) {
      it(`version ${version} is accepted, and other members are skipped`, async () => {
        const { client, answer } = await answerTo(`{"version":${version},"later":[1],"protocol":"JSON"}${separator}`);
        expect(answer).to.equal('{}');
        expect(await client.invoke('add', [1, 2])).to.contain('"result":3');
      });
    }

    const unexpected = 'An unexpected error occurred during connection handshake.';
    const refused: readonly (readonly [what: string, first: string, error: string])[] = [
      ['no JSON', 'hello', unexpected],
      ['no object', '["json",1]', unexpected],
      ['nothing', '', unexpected],
      ['no protocol', '{"version":1}', unexpected],
      ['no version', '{"protocol":"json"}', unexpected],
      ['a version that is no integer', '{"protocol":"json","version":"1"}', unexpected],
      ['another message', '{"type":6}', unexpected],
      ['an unknown protocol', '{"protocol":"xyz","version":1}', "The protocol 'xyz' is not supported."],
      [
        'a version that is too high',
        '{"protocol":"json","version":3}',
        "The server does not support version 3 of the 'json' protocol.",
      ],
    ];
    for (const [what, first, error] of refused) {
      it(`with ${what} is refused, and the WebSocket is closed with 1000`, async () => {
        const { site, answer, closed } = await answerTo(`${first}${separator}`);
        expect(answer).to.equal(JSON.stringify({ error }));
        expect(await closed).to.deep.equal({ code: 1000, reason: '' });
        expect(site.server.connectionCount).to.equal(0);
        expect(site.journal.entries.items).to.deep.equal([]);
      });
    }

    it('says what is wrong with detailedErrors', async () => {
      const { answer } = await answerTo(`{"version":1}${separator}`, { detailedErrors: true });
      const error = `${unexpected} InvalidDataException: Missing required property 'protocol'.`;
      expect(answer).to.equal(JSON.stringify({ error }));
    });

    it('that is too long is refused, also before its end', async () => {
      const { answer, closed } = await answerTo('x'.repeat(32_769));
      expect(answer).to.equal('{"error":"Handshake was canceled."}');
      expect(await closed).to.deep.equal({ code: 1000, reason: '' });
    });

    it('that never comes is refused after 15 s', async () => {
      const site = await serve();
      const client = await WireClient.open(site.port, path);
      await site.clock.advance(14_000);
      await client.roundTrip();
      expect(client.messages.count).to.equal(0);
      await site.clock.advance(2_000);
      expect(await client.closed()).to.deep.equal({ code: 1000, reason: '' });
      expect(client.messages.items).to.deep.equal(['{"error":"Handshake was canceled."}']);
    });

    it('that is refused lets nothing behind it run', async () => {
      let called = false;
      @hub('calls')
      class CallsHub extends Hub {
        @hubMethod() call() {
          called = true;
        }
      }
      const site = await serve({ hubs: [CallsHub] });
      const client = await WireClient.open(site.port, '/calls');
      client.sendTogether('{"protocol":"xyz","version":1}', { type: 1, target: 'call', arguments: [] });
      await client.closed();
      expect(called).to.equal(false);
    });
  });

  describe('framing', () => {
    const stream =
      `{"protocol":"json","version":1}${separator}` +
      `{"type":1,"invocationId":"a","target":"echo","arguments":["größer 😀"]}${separator}` +
      `{"type":6}${separator}{"type":1,"invocationId":"b","target":"add","arguments":[1,2]}${separator}`;

    /** The messages of a client that has sent its bytes in these frames. */
    async function answersTo(frames: readonly (string | Buffer)[]): Promise<readonly string[]> {
      const { port } = await serve();
      const client = await WireClient.open(port, path);
      for (const frame of frames) client.socket.send(frame);
      await client.completion('b');
      expect(client.frames.items.some(({ binary }) => binary)).to.equal(false);
      return client.messages.items.filter((message) => !message.includes('"welcome"'));
    }

    const expected = [
      '{}',
      '{"type":3,"invocationId":"a","result":"größer 😀"}',
      '{"type":3,"invocationId":"b","result":3}',
    ];

    it('a handshake and messages come together in one frame', async () => {
      expect(await answersTo([stream])).to.deep.equal(expected);
    });

    it('messages come in pieces, be they single bytes', async () => {
      expect(await answersTo([...Buffer.from(stream)].map((byte) => Buffer.of(byte)))).to.deep.equal(expected);
    });

    it('messages come in binary frames, and are answered in text frames', async () => {
      expect(await answersTo([Buffer.from(stream)])).to.deep.equal(expected);
    });

    it('many messages come in one frame', async () => {
      const { client } = await connect();
      const calls = Array.from({ length: 50 }, (_, index) => ({
        type: 1,
        invocationId: `${index}`,
        target: 'add',
        arguments: [index, 1],
      }));
      client.sendTogether(...calls);
      await client.completion('49');
      const answers = client.messages.items.filter((message) => message.startsWith('{"type":3'));
      expect(answers).to.deep.equal(
        calls.map((_, index) => `{"type":3,"invocationId":"${index}","result":${index + 1}}`),
      );
    });

    it('one frame may be larger than one message', async () => {
      const { client } = await connect();
      const text = 'x'.repeat(20_000);
      const call = { type: 1, target: 'echo', arguments: [text] };
      client.sendTogether(...Array.from({ length: 10 }, () => call), { ...call, invocationId: 'last' });
      expect(await client.completion('last')).to.contain(text);
    });

    for (const [what, length] of [
      ['a message of 32 KiB with its separator', 32_768],
      ['a message above 32 KiB', 32_769],
    ] as const) {
      const isAllowed = length === 32_768;
      it(`${what} ${isAllowed ? 'is read' : 'closes the connection, with leave to reconnect'}`, async () => {
        const { site, client } = await connect();
        const around = '{"type":1,"invocationId":"1","target":"echo","arguments":[""]}'.length + 1;
        const call = { type: 1, invocationId: '1', target: 'echo', arguments: ['x'.repeat(length - around)] };
        client.send(call);
        if (isAllowed) {
          await client.completion('1');
          return;
        }
        expect(await client.closed()).to.deep.equal({ code: 1000, reason: '' });
        expect(client.messages.items.at(-1)).to.equal(generic);
        expect(await disconnects(site)).to.deep.equal(['error']);
      });
    }

    it('a message that grows over several frames is not awaited beyond the limit', async () => {
      const { client } = await connect();
      for (let part = 0; part < 33; part++) client.socket.send('x'.repeat(1_000));
      await client.closed();
      expect(client.messages.items.at(-1)).to.equal(generic);
    });

    it('detailedErrors tells that a message was too large', async () => {
      const { client } = await connect({ detailedErrors: true });
      client.socket.send('x'.repeat(32_769));
      await client.closed();
      expect(client.messages.items.at(-1)).to.equal(
        JSON.stringify({
          type: 7,
          error:
            'Connection closed with an error. InvalidDataException: ' +
            'The maximum message size of 32768B was exceeded. The message size can be configured in AddHubOptions.',
          allowReconnect: true,
        }),
      );
    });
  });

  describe('messages', () => {
    it('an invocation id is echoed as it is', async () => {
      const { client } = await connect();
      for (const id of ['0', 's1', ' ', 'größer 😀', '"quoted"\\', '__proto__', 'x'.repeat(1_000)])
        expect(await client.invoke('add', [1, 2], id)).to.equal(
          `{"type":3,"invocationId":${JSON.stringify(id)},"result":3}`,
        );
    });

    it('a completion has a result or an error, and neither is ever null for the other', async () => {
      const { client } = await connect();
      expect(await client.invoke('nothing', [], '1')).to.equal('{"type":3,"invocationId":"1","result":null}');
      expect(await client.invoke('echo', [null], '2')).to.equal('{"type":3,"invocationId":"2","result":null}');
      expect(await client.invoke('refuse', [''], '3')).to.equal(
        `{"type":3,"invocationId":"3","error":"An unexpected error occurred invoking 'refuse' on the server. HubException: "}`,
      );
    });

    it('an error names the method as it was declared, or as it was sent', async () => {
      const { client } = await connect();
      expect(await client.invoke('FAIL', [], '1')).to.contain(`invoking 'fail' on`);
      expect(await client.invoke('NoSuch', [], '2')).to.contain(`invoke 'NoSuch' due`);
    });

    for (const [what, without] of [
      ['without an id', {}],
      ['with an empty id', { invocationId: '' }],
    ] as const) {
      it(`an invocation ${what} is never answered, also when it fails`, async () => {
        const { client } = await connect();
        for (const target of ['add', 'fail', 'noSuchMethod', 'secret', 'countdown'])
          client.send({ type: 1, ...without, target, arguments: [] });
        client.send({ type: 1, ...without, target: 'sum', arguments: [], streamIds: ['1'] });
        await client.invoke('add', [1, 2], 'last');
        const answers = client.messages.items.filter((message) => message.startsWith('{"type":3'));
        expect(answers).to.deep.equal(['{"type":3,"invocationId":"last","result":3}']);
      });
    }

    it('a call of the server is written as the reference does', async () => {
      const { client } = await connect();
      await client.invoke('tell', ['caller', [], 'größer 😀']);
      expect(client.messages.items).to.include('{"type":1,"target":"message","arguments":["größer 😀"]}');
      expect(client.messages.items).to.include('{"type":1,"target":"mark","arguments":[]}');
    });

    it('what a call sends comes before its completion', async () => {
      const { client } = await connect();
      await client.invoke('burst', [3], '1');
      expect(client.messages.items.slice(-4)).to.deep.equal([
        ...[1, 2, 3].map((n) => `{"type":1,"target":"message","arguments":["${n} of 3"]}`),
        '{"type":3,"invocationId":"1","result":"all sent"}',
      ]);
    });

    it('calls that come together with the handshake wait for onConnected, and run one after the other', async () => {
      const steps: string[] = [];
      const turn = () => new Promise((resolve) => setImmediate(resolve));
      @hub('steps')
      class StepsHub extends Hub {
        override async onConnected() {
          await this.step('onConnected');
        }
        @hubMethod() async step(name: string) {
          steps.push(`${name} begins`);
          for (let turns = 0; turns < 5; turns++) await turn();
          steps.push(`${name} ends`);
        }
      }
      const { port } = await serve({ hubs: [StepsHub] });
      const client = await WireClient.open(port, '/steps');
      client.sendTogether(
        { protocol: 'json', version: 1 },
        { type: 1, target: 'step', arguments: ['first'] },
        { type: 1, target: 'step', arguments: ['second'], invocationId: '2' },
      );
      await client.completion('2');
      expect(steps).to.deep.equal(
        ['onConnected', 'first', 'second'].flatMap((name) => [`${name} begins`, `${name} ends`]),
      );
    });

    it('types that nobody knows are ignored', async () => {
      const { client } = await connect();
      client.send({ type: 0 }, { type: 10, target: 5 }, { type: 99 }, { type: -1 }, { type: 2.5 });
      expect(await client.invoke('add', [1, 2])).to.contain('"result":3');
    });

    it('items, answers and cancellations that belong to nothing are ignored', async () => {
      const { client } = await connect();
      client.send(
        { type: 2, invocationId: '9', item: 1 },
        { type: 3, invocationId: '9' },
        { type: 5, invocationId: '9' },
      );
      expect(await client.invoke('add', [1, 2])).to.contain('"result":3');
    });

    it('headers and members that nobody knows are skipped', async () => {
      const { client } = await connect();
      const extra = { headers: { traceparent: '00-1-2-01' }, later: { deep: [1] }, streamIds: [] };
      client.send({ ...extra, arguments: [1, 2], invocationId: '1', target: 'add', type: 1 });
      expect(await client.completion('1')).to.contain('"result":3');
    });

    const invocation = { type: 1, invocationId: '1', target: 'add', arguments: [1, 2] };
    const broken: readonly (readonly [what: string, message: object | string])[] = [
      ['no JSON', 'hello'],
      ['no object', '[1]'],
      ['null', 'null'],
      ['no type', { target: 'add', arguments: [] }],
      ['a type that is no number', { ...invocation, type: '1' }],
      ['no target', { ...invocation, target: undefined }],
      ['an empty target', { ...invocation, target: '' }],
      ['a target that is no text', { ...invocation, target: 1 }],
      ['no arguments', { ...invocation, arguments: undefined }],
      ['arguments that are no list', { ...invocation, arguments: { 0: 1 } }],
      ['an id that is no text', { ...invocation, invocationId: 1 }],
      ['stream ids that are no list', { ...invocation, streamIds: 'all' }],
      ['a stream invocation without an id', { ...invocation, type: 4, invocationId: undefined }],
      ['a stream invocation without arguments', { ...invocation, type: 4, arguments: undefined }],
    ];
    for (const [what, message] of broken) {
      it(`a message that is broken (${what}) closes the connection with an error, with leave to reconnect`, async () => {
        const { site, client } = await connect();
        client.send(message);
        expect(await client.closed()).to.deep.equal({ code: 1000, reason: '' });
        expect(client.messages.items.at(-1)).to.equal(generic);
        expect(await disconnects(site)).to.deep.equal(['error']);
      });
    }
  });

  describe('the end of a connection', () => {
    it('a Close of the client is answered with one, and the WebSocket closed with 1000', async () => {
      const { site, client } = await connect();
      client.send({ type: 7 });
      expect(await client.closed()).to.deep.equal({ code: 1000, reason: '' });
      expect(client.messages.items.at(-1)).to.equal('{"type":7}');
      expect(await disconnects(site)).to.deep.equal(['client']);
    });

    it('a close frame of the client is one disconnect, with the reason client', async () => {
      const { site, client } = await connect();
      client.socket.close();
      expect(await client.closed()).to.have.property('code', 1005);
      await site.journal.nth('disconnect');
      expect(await disconnects(site)).to.deep.equal(['client']);
    });

    it('a socket without a close frame is one disconnect, with the reason timeout', async () => {
      const { site, client } = await connect();
      client.socket.terminate();
      await site.journal.nth('disconnect');
      expect(await disconnects(site)).to.deep.equal(['timeout']);
    });

    it('abort() closes without leave to reconnect', async () => {
      const { site, client } = await connect();
      client.send({ type: 1, target: 'leaveMe', arguments: [] });
      expect(await client.closed()).to.deep.equal({ code: 1000, reason: '' });
      expect(client.messages.items.at(-1)).to.equal('{"type":7}');
      expect(await disconnects(site)).to.deep.equal(['kicked']);
    });

    it('stop() closes with leave to reconnect', async () => {
      const { site, client } = await connect();
      await Promise.all([site.server.stop({ graceMs: 0 }), client.closed()]);
      expect(client.messages.items.at(-1)).to.equal('{"type":7,"allowReconnect":true}');
      expect(site.journal.of('disconnect').map(({ reason }) => reason)).to.deep.equal(['server-stop']);
    });

    it('nothing that comes behind a Close is run', async () => {
      const { site, client } = await connect();
      client.sendTogether({ type: 7 }, { type: 1, target: 'tell', arguments: ['all', [], 'too late'] });
      await client.closed();
      await disconnects(site);
      expect(client.messages.items.join()).not.to.contain('too late');
    });
  });

  describe('time', () => {
    it('a ping goes out every 15 s, whether or not there is other traffic', async () => {
      const { site, client } = await connect();
      for (let round = 1; round <= 4; round++) {
        for (let part = 0; part < 5; part++) {
          await site.clock.advance(3_000);
          // Half of the time there is traffic, half of it there is none but the client's life signs.
          if (round > 2) await client.invoke('add', [1, 2], `${round}.${part}`);
          else await client.roundTrip();
        }
        expect(client.messages.items.filter((message) => message === '{"type":6}')).to.have.length(round);
      }
    });

    it('a ping of the client is not answered', async () => {
      const { client } = await connect();
      client.send(ping, ping);
      await client.invoke('add', [1, 2]);
      expect(client.messages.items).not.to.include('{"type":6}');
    });

    it('a client that never pings may say nothing for as long as its socket lives', async () => {
      const { site, client } = await connect();
      for (let round = 0; round < 12; round++) {
        await site.clock.advance(10_000);
        await client.roundTrip();
      }
      expect(await client.invoke('add', [1, 2])).to.contain('"result":3');
    });

    it('a client that has pinged once must say something every 30 s, even though its socket lives', async () => {
      const { site, client } = await connect();
      client.send(ping);
      await client.roundTrip();
      for (let round = 0; round < 2; round++) {
        await site.clock.advance(14_000);
        await client.roundTrip();
      }
      expect(client.messages.items.at(-1)).not.to.equal(generic);
      await site.clock.advance(4_000);
      expect(await client.closed()).to.deep.equal({ code: 1000, reason: '' });
      expect(client.messages.items.at(-1)).to.equal(generic);
      expect(await disconnects(site)).to.deep.equal(['timeout']);
    });

    it('every message of the client counts', async () => {
      const { site, client } = await connect();
      client.send(ping);
      for (let round = 0; round < 3; round++) {
        await site.clock.advance(25_000);
        client.send(round % 2 === 0 ? { type: 99 } : ping);
        await client.roundTrip();
      }
      expect(await client.invoke('add', [1, 2])).to.contain('"result":3');
    });

    it('detailedErrors tells of the timeout', async () => {
      const { site, client } = await connect({ detailedErrors: true });
      client.send(ping);
      for (let round = 0; round < 4; round++) {
        await client.roundTrip();
        await site.clock.advance(8_000);
      }
      await client.closed();
      const error =
        'Connection closed with an error. OperationCanceledException: ' +
        "Client hasn't sent a message/ping within the configured ClientTimeoutInterval.";
      expect(client.messages.items.at(-1)).to.equal(JSON.stringify({ type: 7, error, allowReconnect: true }));
    });

    it('a WebSocket that is silent for half of the timeout is pinged, and one that does not answer is lost', async () => {
      const { site, client } = await connect({}, { autoPong: false });
      await site.clock.advance(14_000);
      await client.roundTrip();
      await site.clock.advance(14_000);
      expect(client.pings.count).to.equal(0);
      await site.clock.advance(2_000);
      await client.pings.atLeast(1);
      await site.clock.advance(13_000);
      expect(site.journal.of('disconnect')).to.deep.equal([]);
      await site.clock.advance(3_000);
      expect(await client.closed()).to.have.property('code', 1006);
      expect(client.messages.items.join()).not.to.contain('"type":7');
      expect(await disconnects(site)).to.deep.equal(['timeout']);
    });

    it('a WebSocket that answers the ping and says nothing else lives on', async () => {
      const { site, client } = await connect({}, { autoPong: false });
      for (let round = 1; round <= 4; round++) {
        await site.clock.advance(17_000);
        await client.pings.atLeast(round);
        const before = site.bytesRead();
        client.socket.pong();
        await eventually(() => site.bytesRead() > before, 'the server has read the pong');
      }
      expect(await client.invoke('add', [1, 2])).to.contain('"result":3');
    });

    it('a WebSocket that never says a word is let go', async () => {
      const site = await serve({ handshakeTimeoutMs: 600_000 });
      const client = await WireClient.open(site.port, path, { autoPong: false });
      await site.clock.advance(17_000);
      await client.pings.atLeast(1);
      await site.clock.advance(17_000);
      expect(await client.closed()).to.have.property('code', 1006);
    });
  });
});
