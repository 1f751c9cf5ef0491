import { Memberships, type TopicHolder } from '@hubline/core/internal/groups/memberships.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { GroupsModel } from '../../support/groups-model.js';
import { effort, propertyTimeoutMs, sequenceOf, someOf } from '../../support/property.js';

const hubs = ['chat', 'game'];
const groups = ['a', 'b'];
const hub = fc.constantFrom(...hubs);
const group = fc.constantFrom(...groups);

type Step =
  | { readonly kind: 'join' | 'leave'; readonly hub: string; readonly group: string }
  | { readonly kind: 'publish' | 'begin' | 'commit' | 'rollback' }
  | { readonly kind: 'listen' | 'unlisten' | 'stage begins'; readonly hub: string }
  | { readonly kind: 'stage ends'; readonly hub: string; readonly answer: readonly string[] };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('join' as const, 'leave' as const), hub, group }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('publish' as const, 'begin' as const, 'commit' as const, 'rollback' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('listen' as const, 'unlisten' as const), hub }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('stage begins' as const), hub }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('stage ends' as const), hub, answer: someOf(...groups) }) },
);

/** Notes which topics are held; the holder of the real thing is a connection. */
class NotingHolder implements TopicHolder {
  head = 0;
  readonly held = new Set<string>();
  readonly listening = new Set(['chat']);

  listensTo(name: string): boolean {
    return this.listening.has(name);
  }

  hold(topic: string, begins: (since: number) => void): void {
    this.held.add(topic);
    begins(this.head);
  }

  release(topic: string): void {
    this.held.delete(topic);
  }
}

describe('Memberships, beside a model that goes through what has happened', function () {
  this.timeout(propertyTimeoutMs);

  it('are those of the last operation on each group, whatever stages run beside it', () => {
    fc.assert(
      fc.property(sequenceOf(step, 80), (steps) => {
        const holder = new NotingHolder();
        const memberships = new Memberships(holder, 1_000);
        const model = new GroupsModel();
        /** What the stages that run were given; `undefined` while no resume runs. */
        let claims: Map<string, readonly string[] | undefined> | undefined;
        for (const one of steps) {
          switch (one.kind) {
            case 'join':
              void memberships.join(one.hub, one.group);
              model.join(`${one.hub}/${one.group}`, holder.head);
              break;
            case 'leave': {
              const key = `${one.hub}/${one.group}`;
              expect(memberships.leave(one.hub, one.group)).to.equal(model.mayBe(key));
              model.leave(key);
              break;
            }
            case 'publish':
              holder.head++;
              break;
            case 'begin':
              if (claims !== undefined) break;
              claims = new Map();
              memberships.beginRejoin();
              model.begin();
              break;
            case 'stage begins':
              if (claims?.has(one.hub) === false) claims.set(one.hub, memberships.of(one.hub));
              break;
            case 'stage ends': {
              const claimed = claims?.get(one.hub);
              if (claimed === undefined) break;
              // A stage runs once.
              claims?.set(one.hub, undefined);
              void memberships.applyRejoin(one.hub, claimed, one.answer);
              model.answer(one.hub, claimed, one.answer, holder.head);
              break;
            }
            case 'commit':
            case 'rollback':
              if (claims === undefined) break;
              claims = undefined;
              if (one.kind === 'commit') memberships.commitRejoin();
              else memberships.rollbackRejoin();
              model.end(one.kind);
              break;
            case 'listen':
            case 'unlisten':
              // The hubs of a connection are settled before its stages begin.
              if (claims !== undefined || holder.listensTo(one.hub) === (one.kind === 'listen')) break;
              if (one.kind === 'listen') {
                holder.listening.add(one.hub);
                // What comes while nobody listens is not for this connection: the groups begin anew.
                for (const name of model.of(one.hub)) model.restore(`${one.hub}/${name}`, holder.head);
              } else holder.listening.delete(one.hub);
              void memberships.listen(one.hub, one.kind === 'listen');
          }
          check(memberships, model, holder);
        }
        memberships.clear();
        for (const name of holder.listening) void memberships.listen(name, false);
        expect({ size: memberships.size, held: [...holder.held] }).to.deep.equal({ size: 0, held: [] });
      }),
      effort(),
    );
  });
});

function check(memberships: Memberships, model: GroupsModel, holder: NotingHolder): void {
  const actual = [...memberships].map((one) => [`${one.hub}/${one.group}`, one.since] as const);
  expect(new Map(actual)).to.deep.equal(model.current);
  const listened = (key: string): boolean => holder.listensTo(key.slice(0, key.indexOf('/')));
  const due = [...model.current.keys(), ...model.aside].filter(listened).map((key) => `g/${key}`);
  expect([...holder.held].sort()).to.deep.equal([...new Set(due)].sort());
}
