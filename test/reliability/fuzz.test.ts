import type { IncomingMessage } from 'node:http';
import { hub, Hub, hubMethod, HublineError } from '@hubline/core';
import { Refusal } from '@hubline/core/internal/dispatcher/refusal.js';
import { openGroupsToken, sealGroupsToken } from '@hubline/core/internal/groups/groups-token.js';
import { describeHubs } from '@hubline/core/internal/hubs/hub-descriptor.js';
import { readJson, writeJson } from '@hubline/core/internal/json.js';
import { PositionText } from '@hubline/core/internal/messaging/position.js';
import { readCall } from '@hubline/core/internal/protocols/aspnet/aspnet-protocol.js';
import { readConnectionData } from '@hubline/core/internal/protocols/aspnet/connection-data.js';
import { protocolVersion } from '@hubline/core/internal/protocols/aspnet/negotiate.js';
import { judgeHandshake } from '@hubline/core/internal/protocols/aspnetcore/handshake.js';
import { MessageSplitter, readMessage } from '@hubline/core/internal/protocols/aspnetcore/json-protocol.js';
import { negotiateVersion } from '@hubline/core/internal/protocols/aspnetcore/negotiate.js';
import { openConnectionToken, sealConnectionToken } from '@hubline/core/internal/security/connection-token.js';
import { KeyRing } from '@hubline/core/internal/security/key-ring.js';
import { Endpoints } from '@hubline/core/internal/server/endpoints.js';
import { readUrl, RequestGate } from '@hubline/core/internal/server/request-gate.js';
import { settle } from '@hubline/core/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { propertyTimeoutMs } from '../support/property.js';
import { expectNothingHeld, rawApp } from '../support/raw-client.js';

const isFull = process.env.HUBLINE_EFFORT === 'full';
// To see a failure again: HUBLINE_SEED=….
const seed = Number(process.env.HUBLINE_SEED ?? Date.now() % 1_000_000_000);
const runs = (count: number) => ({ seed, numRuns: isFull ? count * 50 : count });

/** What a property does for each input must throw nothing but these. */
function throwsOnly(work: () => unknown, ...codes: readonly string[]): unknown {
  try {
    return work();
  } catch (error) {
    if (HublineError.is(error) && codes.includes(error.code)) return undefined;
    if (error instanceof Refusal && codes.includes(String(error.status))) return undefined;
    throw error;
  }
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.string({ unit: fc.constantFrom(...'{}[]":,\\ntrue0.-e/?&=%+\u001e\u0000;x'.split('')), maxLength: 60 }),
);
const anyJson = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value));

type Change = readonly ['delete' | 'insert' | 'replace' | 'repeat', number, string];
const change: fc.Arbitrary<Change> = fc.tuple(
  fc.constantFrom('delete', 'insert', 'replace', 'repeat'),
  fc.nat(),
  fc.oneof(fc.constantFrom(...'{}[]":,\\0-'.split('')), fc.string({ unit: 'binary', minLength: 1, maxLength: 2 })),
);

/** Well-formed inputs that a few changes have been made to. */
function mutated(...texts: readonly string[]): fc.Arbitrary<string> {
  return fc.tuple(fc.constantFrom(...texts), fc.array(change, { maxLength: 4 })).map(([text, changes]) =>
    changes.reduce((before, [kind, where, what]) => {
      const at = where % (before.length + 1);
      const end = Math.min(before.length, at + 1 + (where % 5));
      if (kind === 'insert') return before.slice(0, at) + what + before.slice(at);
      if (kind === 'repeat') return before.slice(0, end) + before.slice(at);
      return before.slice(0, at) + (kind === 'replace' ? what : '') + before.slice(end);
    }, text),
  );
}

const classicCalls = [
  '{"H":"chat","M":"say","A":["hi",{"a":[1,2.5e3,null,true]}],"I":0}',
  '{"H":"chat","M":"say","A":null,"I":"7","S":{"nick":"ann"}}',
  '{"H":"Chat","M":"Say"}',
];
const coreMessages = [
  '{"type":1,"target":"say","arguments":["hi",{"a":1}],"invocationId":"1"}',
  '{"type":1,"target":"say","arguments":[],"streamIds":["1"]}',
  '{"type":4,"target":"count","arguments":[3],"invocationId":"2"}',
  '{"type":6}',
  '{"type":7,"error":"bye"}',
  '{"type":2,"invocationId":"1","item":42}',
];
const versions = ['1.2', '1.5', '2.0', '2.1', '1337', '2', '2.1.3', '0', '1', '+1', '-1', '99999999999'];

@hub('chat')
class ChatHub extends Hub {
  @hubMethod() say(text: unknown) {
    return text;
  }
}

const hubs = describeHubs([ChatHub]);
const ring = new KeyRing(['the key of this test', 'an older one']);

describe(`whatever comes in, nothing but coded errors comes out (HUBLINE_SEED=${seed})`, function () {
  this.timeout(propertyTimeoutMs);

  it('of reading JSON, and what was read is what JSON.parse reads', () => {
    fc.assert(
      fc.property(
        fc.oneof(anyText, anyJson, mutated(...classicCalls)),
        fc.integer({ min: 1, max: 70 }),
        (text, depth) => {
          const value = throwsOnly(() => readJson(text, depth), 'HUB_MESSAGE_INVALID', 'HUB_MESSAGE_TOO_DEEP');
          if (value !== undefined) expect(value).to.deep.equal(JSON.parse(text));
        },
      ),
      runs(2_000),
    );
  });

  it('of reading nested JSON: too deep is told before it is read', () => {
    const brackets = fc.string({ unit: fc.constantFrom('[', '{"a":', ']', '}', '"', '1', ','), maxLength: 300 });
    fc.assert(
      fc.property(brackets, (text) => {
        const value = throwsOnly(() => readJson(text, 16), 'HUB_MESSAGE_INVALID', 'HUB_MESSAGE_TOO_DEEP');
        let depth = 0;
        for (let inner = value; typeof inner === 'object' && inner !== null; inner = Object.values(inner)[0]) depth++;
        expect(depth).to.be.at.most(32);
      }),
      runs(2_000),
    );
  });

  it('of writing JSON', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withNullPrototype: true,
      withObjectString: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        const text = throwsOnly(() => writeJson(value, 'it'), 'HUB_CANNOT_ENCODE');
        if (text !== undefined) expect(() => JSON.parse(text as string) as unknown).not.to.throw();
      }),
      runs(2_000),
    );
  });

  it('of reading a classic call', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, anyJson, mutated(...classicCalls)), (text) => {
        const limits = { maxJsonDepth: 64, maxStateLength: 100 };
        const call = throwsOnly(() => readCall(text, limits), 'HUB_MESSAGE_INVALID', 'HUB_MESSAGE_TOO_DEEP');
        if (call === undefined) return;
        const { hub: name, method, arguments: args, id } = call as ReturnType<typeof readCall>;
        expect([typeof name, typeof method, Array.isArray(args)]).to.deep.equal(['string', 'string', true]);
        expect(typeof id).to.be.oneOf(['string', 'undefined']);
      }),
      runs(2_000),
    );
  });

  it('of reading an ASP.NET Core message', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, anyJson, mutated(...coreMessages)), (text) => {
        throwsOnly(() => readMessage(text, 64), 'HUB_MESSAGE_INVALID', 'HUB_MESSAGE_TOO_DEEP');
      }),
      runs(2_000),
    );
  });

  it('of splitting messages, wherever the chunks end', () => {
    const message = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => text.replaceAll('\u001e', ''));
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat(400), { maxLength: 6 }), (messages, cuts) => {
        const bytes = Buffer.from(messages.map((text) => `${text}\u001e`).join(''));
        const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const split = (maxBytes: number) => {
          const splitter = new MessageSplitter(maxBytes);
          return places.flatMap((from, index) => splitter.split(bytes.subarray(from, places[index + 1])));
        };
        const wanted = messages.map((text) => Buffer.from(text).toString('utf8'));
        expect(split(10_000)).to.deep.equal(wanted);
        const small = throwsOnly(() => split(60), 'HUB_MESSAGE_TOO_LARGE');
        if (messages.every((text) => Buffer.byteLength(text) < 60)) expect(small).to.deep.equal(wanted);
        else expect(small).to.equal(undefined);
      }),
      runs(2_000),
    );
  });

  it('of judging a handshake', () => {
    const handshakes = mutated('{"protocol":"json","version":1}', '{"protocol":"messagepack","version":2}');
    fc.assert(
      fc.property(fc.oneof(anyText, anyJson, handshakes), fc.boolean(), (text, detailed) => {
        const handshake = judgeHandshake(text, detailed);
        if (!handshake.accepted) expect(handshake.error).to.be.a('string').and.not.equal('');
      }),
      runs(2_000),
    );
  });

  it('of reading connectionData', () => {
    const data = mutated('[{"name":"chat"}]', '[{"Name":"Chat"},{"name":"ops"}]', '[]', 'null');
    fc.assert(
      fc.property(fc.oneof(anyText, anyJson, data), (text) => {
        const limits = { maxHubsPerConnection: 2, maxJsonDepth: 8 };
        const found = throwsOnly(() => readConnectionData(text, hubs, limits), '400', '500');
        if (found !== undefined) expect(found).to.have.length.at.most(1);
      }),
      runs(2_000),
    );
  });

  const claim = { connectionId: '5f0c', userId: 'ann', position: 'abc-1' };
  const connectionToken = sealConnectionToken(ring, claim);
  const groupsClaim = { ...claim, issuedAt: 1, groups: { chat: ['room'] } };
  const groupsToken = sealGroupsToken(ring, groupsClaim, 10_000).token;
  const foreign = sealConnectionToken(new KeyRing(['another']), claim);
  const tokens = fc.oneof(
    anyText,
    mutated(connectionToken, groupsToken, foreign),
    fc.base64String(),
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from([1, ...bytes]).toString('base64url')),
  );

  it('of opening a connection token, and only the one that was sealed opens', () => {
    fc.assert(
      fc.property(tokens, (token) => {
        expect(openConnectionToken(ring, token)).to.deep.equal(token === connectionToken ? claim : undefined);
      }),
      runs(2_000),
    );
  });

  it('of opening a groups token, and only the one that was sealed opens', () => {
    fc.assert(
      fc.property(tokens, (token) => {
        expect(openGroupsToken(ring, token)).to.deep.equal(token === groupsToken ? groupsClaim : undefined);
      }),
      runs(2_000),
    );
  });

  it('of reading a position, and what is read is what was written', () => {
    const positions = new PositionText('abcdef');
    const text = fc.oneof(anyText, mutated('abcdef-1', 'abcdef-zz', 'fedcba-1', 'abcdef-2gosa7pa2gv'));
    fc.assert(
      fc.property(text, fc.nat(), (given, head) => {
        const reading = positions.read(given, head);
        if (reading.kind !== 'here') return;
        expect(reading.position).to.be.at.most(head);
        expect(positions.write(reading.position)).to.equal(given);
      }),
      runs(2_000),
    );
    fc.assert(
      fc.property(fc.nat(Number.MAX_SAFE_INTEGER), (position) => {
        expect(positions.read(positions.write(position), position)).to.deep.equal({ kind: 'here', position });
      }),
      runs(500),
    );
  });

  it('of choosing a version', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, mutated(...versions), fc.constant(undefined)), (text) => {
        const [major = 0, minor = 0] = protocolVersion(text).split('.').map(Number);
        expect(major * 10_000 + minor).to.be.within(10_002, 20_001);
        const asked = negotiateVersion(text);
        if ('version' in asked) expect(asked.version).to.be.oneOf([0, 1]);
        else expect(asked.error).to.be.a('string').and.not.equal('');
      }),
      runs(2_000),
    );
  });

  it('of finding the endpoint of a request', () => {
    const endpoints = new Endpoints();
    const nobody = {} as Parameters<Endpoints['map']>[2];
    endpoints.map('aspnet', '/signalr', nobody);
    endpoints.map('aspnetcore', '/chat', nobody);
    const urls = fc.oneof(
      anyText,
      mutated(
        '/signalr/negotiate?clientProtocol=2.1&connectionData=%5B%7B%22name%22%3A%22chat%22%7D%5D',
        '/signalr//connect/?transport=webSockets&connectionToken=abc',
        '/chat?id=abc',
        '/chat/negotiate?negotiateVersion=1',
        '/signalr',
      ),
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
    );
    const headers = fc.record({ accept: fc.option(anyText, { nil: undefined }), host: anyText });
    const methods = fc.constantFrom('GET', 'POST', 'OPTIONS', 'DELETE', '');
    fc.assert(
      fc.property(urls, headers, methods, fc.boolean(), (url, given, method, upgrade) => {
        const request = { url, method, headers: given } as unknown as IncomingMessage;
        const read = readUrl(request);
        const match = endpoints.match(request, read, upgrade);
        if (match !== undefined) expect(match.suffix).to.match(/^(\/[^]*)?$/);
        for (const [name] of read.query.visible()) expect(name.toLowerCase()).not.to.equal('connectiontoken');
      }),
      runs(2_000),
    );
  });

  it('of judging an origin', () => {
    const origins = fc.oneof(
      anyText,
      mutated('https://app.example', 'http://127.0.0.1:3000', 'null', 'file://', 'http://[::1]:80'),
      fc.webUrl(),
    );
    const gate = new RequestGate({ hubs: [], cors: { origins: ['https://app.example'] } });
    fc.assert(
      fc.property(origins, fc.oneof(anyText, fc.constant('127.0.0.1:3000')), (origin, host) => {
        const request = { headers: { origin, host }, socket: {} } as unknown as IncomingMessage;
        throwsOnly(() => gate.admitOrigin(request), '403');
      }),
      runs(2_000),
    );
  });

  it('of a classic socket: it is closed or goes on, and nothing is left', async () => {
    const frame = fc.oneof(anyText, anyJson, mutated(...classicCalls), fc.uint8Array({ maxLength: 100 }));
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 20 }), async (frames) => {
        await using app = rawApp({ hubs: [ChatHub] });
        const client = app.classic(['chat']);
        const socket = await client.start();
        for (const one of frames) socket.send(typeof one === 'string' ? one : Buffer.from(one));
        await settle();
        const isClosed = frames.some((one) => typeof one !== 'string');
        if (isClosed) expect(await socket.closed()).to.deep.equal({ code: 1003 });
        else {
          socket.send({ H: 'chat', M: 'say', A: ['alive'], I: 'last' });
          expect(await socket.answer('last')).to.include({ R: 'alive' });
        }
        await client.abort();
        expectNothingHeld(app.server);
      }),
      { ...runs(40), endOnFailure: true },
    );
  });

  it('of an ASP.NET Core socket: it is closed or goes on, and nothing is left', async () => {
    const frame = fc.oneof(
      anyText,
      mutated(...coreMessages).map((text) => `${text}\u001e`),
      fc.uint8Array({ maxLength: 100 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(frame, { maxLength: 20 }), async (greets, frames) => {
        await using app = rawApp({ hubs: [ChatHub] });
        const socket = await app.socket('/chat');
        if (greets) socket.send('{"protocol":"json","version":1}\u001e');
        for (const one of frames) socket.send(typeof one === 'string' ? one : Buffer.from(one));
        await settle();
        socket.webSocket.close();
        await socket.closed();
        await settle();
        expectNothingHeld(app.server);
      }),
      { ...runs(40), endOnFailure: true },
    );
  });
});
