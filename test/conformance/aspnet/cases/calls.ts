import { expect } from 'chai';
import type { ClassicCallError } from '../../../support/classic-client.js';
import { startServer } from '../../../support/servers.js';
import { connected, type Driver } from './driver.js';
import { basics } from './hubs.js';

/** What comes of calls. */
export function calls(driver: Driver): void {
  const values: readonly [string, unknown][] = [
    ['a number', 42],
    ['a text', 'Grüße, "Welt" \u2028 😀'],
    ['nothing', null],
    ['false', false],
    ['an empty list', []],
    ['an object with members of its own case', { Room: 'a', nested: { list: [1, null, 'x'] } }],
  ];
  it('arguments and results keep their values', async () => {
    const { url } = await startServer(basics);
    const client = await connected(driver, url);
    for (const [what, value] of values)
      expect((await client.invoke('rooms', 'echo', value)) ?? null, what).to.deep.equal(value);
  });

  it('a call without a result is answered', async () => {
    const { url } = await startServer(basics);
    const client = await connected(driver, url);
    expect(await client.outcome('rooms', 'nothing')).to.deep.equal({ progress: [] });
  });

  it('names of hubs and methods ignore case', async () => {
    const { url } = await startServer(basics);
    const client = await connected(driver, url);
    expect(await client.invoke('rooms', 'ECHO', 1)).to.equal(1);
  });

  it('a failure is told with a generic text that names the method as it was called', async () => {
    const { url } = await startServer(basics);
    const client = await connected(driver, url);
    for (const method of ['fail', 'isNotThere']) {
      const { error } = await client.outcome('rooms', method);
      expect(error).to.deep.equal({
        message: `There was an error invoking Hub method 'rooms.${method}'.`,
        source: 'Exception',
      });
    }
  });

  it('a HubException is told with its message and its data', async () => {
    const { url } = await startServer(basics);
    const client = await connected(driver, url);
    const error = await client.invoke('rooms', 'refuse').then(
      () => undefined,
      (reason: unknown) => reason as ClassicCallError,
    );
    expect(error).to.include({ message: 'The room is full.', source: 'HubException' });
    expect(error?.data).to.deep.equal({ max: 10 });
  });

  it('details of a failure are told if the server is set so', async () => {
    const { url } = await startServer({ ...basics, detailedErrors: true });
    const client = await connected(driver, url);
    const { error } = await client.outcome('rooms', 'fail');
    expect(error?.message).to.contain('a secret of the server');
  });

  it('progress arrives in order and before the result', async () => {
    const { url } = await startServer(basics);
    const client = await connected(driver, url);
    expect(await client.outcome('rooms', 'count', 5)).to.deep.equal({ result: 'done', progress: [1, 2, 3, 4, 5] });
  });

  it("the state of the caller's proxy reaches the call, and what the call writes comes back", async () => {
    const { url } = await startServer(basics);
    const client = await connected(driver, url);
    await client.state('rooms', { nick: 'ann', color: 'red' });
    expect(await client.invoke('rooms', 'rename', 'bob')).to.deep.equal({ nick: 'ann', color: 'red' });
    expect(await client.state('rooms')).to.deep.equal({ nick: 'bob', color: 'red' });
  });

  it('what a call sends arrives in order and before its result', async () => {
    const { url } = await startServer(basics);
    const client = await connected(driver, url);
    await client.invoke('rooms', 'noteThenAnswer', 3);
    await client.received('note', 3);
    const seen = client.events.items.flatMap((event) =>
      event.type === 'message' ? [event.args[0]] : event.type === 'answer' ? ['answer'] : [],
    );
    expect(seen).to.deep.equal([1, 2, 3, 'answer']);
  });

  it('calls run beside each other, and each gets its own result', async () => {
    const { url } = await startServer(basics);
    const client = await connected(driver, url);
    const results = await Promise.all([1, 2, 3].map((value) => client.invoke('rooms', 'echo', value)));
    expect(results).to.deep.equal([1, 2, 3]);
  });
}
