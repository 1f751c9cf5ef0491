import { expect } from 'chai';
import type { ClassicClient } from '../../../support/classic-client.js';
import { startServer } from '../../../support/servers.js';
import { severalConnected, type Driver } from './driver.js';
import { basics } from './hubs.js';

const names = ['ann', 'ann2', 'bob', 'nobody'] as const;
type Name = (typeof names)[number];

/** Ann twice, Bob, and somebody anonymous. */
async function company(driver: Driver): Promise<Record<Name, ClassicClient>> {
  const { url } = await startServer(basics);
  const [ann, ann2, bob, nobody] = await severalConnected(driver, url, [
    { query: { user: 'ann' } },
    { query: { user: 'ann' } },
    { query: { user: 'bob' } },
    {},
  ]);
  return { ann, ann2, bob, nobody } as Record<Name, ClassicClient>;
}

/** Tells everybody once more, and answers who had been told before. */
async function reached(company: Record<Name, ClassicClient>, method: 'note' | 'message'): Promise<Name[]> {
  await company.ann.invoke('rooms', 'tell', 'all', [], 'the end');
  const told: Name[] = [];
  for (const name of names) {
    const client = company[name];
    await client.events.until(
      () => client.messages('note').some(([value]) => value === 'the end'),
      `the end at ${name}`,
    );
    if (client.messages(method).some(([value]) => value !== 'the end')) told.push(name);
  }
  return told;
}

/** Who gets what. */
export function targets(driver: Driver): void {
  // Four windows take their time in a browser.
  const slow = 30_000;

  const table: readonly [string, (company: Record<Name, ClassicClient>) => readonly string[], readonly Name[]][] = [
    ['all', () => [], ['ann', 'ann2', 'bob', 'nobody']],
    ['others', () => [], ['ann2', 'bob', 'nobody']],
    ['caller', () => [], ['ann']],
    ['allExcept', ({ ann2, nobody }) => [ann2.id, nobody.id], ['ann', 'bob']],
    ['client', ({ bob }) => [bob.id], ['bob']],
    ['clients', ({ bob, nobody }) => [bob.id, nobody.id], ['bob', 'nobody']],
    ['user', () => ['ann'], ['ann', 'ann2']],
    ['users', () => ['bob', 'ann'], ['ann', 'ann2', 'bob']],
  ];

  it('every target reaches exactly those that it names', async function () {
    this.timeout(slow);
    const clients = await company(driver);
    let told = 0;
    for (const [target, namesOf, expected] of table) {
      await clients.ann.invoke('rooms', 'tell', target, namesOf(clients), target);
      told++;
      await clients.ann.invoke('rooms', 'tell', 'all', [], `after ${told}`);
      for (const name of names) {
        const client = clients[name];
        const seen = () => client.messages('note').map(([value]) => value);
        await client.events.until(() => seen().includes(`after ${told}`), `the end of '${target}' at ${name}`);
        const count = seen().filter((value) => value === target).length;
        expect(count, `'${target}' at ${name}`).to.equal(expected.includes(name) ? 1 : 0);
      }
    }
  });

  it('a group is those who joined, whoever added them, until they leave', async function () {
    this.timeout(slow);
    const clients = await company(driver);
    const { ann, bob, nobody } = clients;
    await ann.invoke('rooms', 'join', 'a');
    await nobody.invoke('rooms', 'join', 'a');
    expect(await ann.invoke('rooms', 'joinOther', 'a', bob.id)).to.equal('joined');
    expect(await ann.invoke('rooms', 'joinOther', 'a', 'of nobody')).to.equal('gone');
    await nobody.invoke('rooms', 'leave', 'a');
    await bob.invoke('rooms', 'say', 'a', 'hello');
    expect(await reached(clients, 'message')).to.deep.equal(['ann', 'bob']);
  });

  it('a member can be left out of a send to its group', async function () {
    this.timeout(slow);
    const clients = await company(driver);
    for (const client of Object.values(clients)) await client.invoke('rooms', 'join', 'a');
    await clients.ann.invoke('rooms', 'sayBut', 'a', 'psst', clients.bob.id);
    expect(await reached(clients, 'message')).to.deep.equal(['ann', 'ann2', 'nobody']);
  });

  it('the others of a group are its members but the caller', async function () {
    this.timeout(slow);
    const clients = await company(driver);
    for (const client of [clients.ann, clients.bob]) await client.invoke('rooms', 'join', 'a');
    await clients.ann.invoke('rooms', 'sayToOthers', 'a', 'look');
    expect(await reached(clients, 'message')).to.deep.equal(['bob']);
  });

  it('names of groups are matched exactly', async function () {
    this.timeout(slow);
    const clients = await company(driver);
    await clients.ann.invoke('rooms', 'join', 'Room');
    await clients.bob.invoke('rooms', 'join', 'room');
    await clients.nobody.invoke('rooms', 'say', 'Room', 'hello');
    expect(await reached(clients, 'message')).to.deep.equal(['ann']);
  });
}
