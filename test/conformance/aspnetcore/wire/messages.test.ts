import { hub, Hub, hubMethod } from '@hubline/core';
import { expect } from 'chai';
import { WireClient } from '../../../support/wire-client.js';
import { brokenClose, connect, disconnects, serve } from './wire-site.js';

describe('the ASP.NET Core wire: messages', () => {
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
      expect(client.messages.items.at(-1)).to.equal(brokenClose);
      expect(await disconnects(site)).to.deep.equal(['error']);
    });
  }
});
