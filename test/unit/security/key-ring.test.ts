import {
  openConnectionToken,
  sealConnectionToken,
  type ConnectionClaim,
} from '@hubline/core/internal/security/connection-token.js';
import { openGroupsToken, sealGroupsToken, type GroupsClaim } from '@hubline/core/internal/groups/groups-token.js';
import { KeyRing } from '@hubline/core/internal/security/key-ring.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { effort } from '../../support/property.js';

const claim: ConnectionClaim = { connectionId: 'c1', userId: 'ann', position: 'here-1' };
const groups: GroupsClaim = {
  connectionId: 'c1',
  userId: 'ann',
  issuedAt: 1,
  position: 'here-1',
  groups: { chat: ['a', 'b'] },
};
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

describe('KeyRing', () => {
  it('opens what it has sealed, whatever the text', () => {
    const ring = new KeyRing(['a key']);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => ring.unprotect('p', ring.protect('p', text)) === text),
      effort(),
    );
  });

  it('makes tokens that fit into a URL as they are, and never the same twice', () => {
    const ring = new KeyRing(['a key']);
    const [one, other] = [ring.protect('p', 'text'), ring.protect('p', 'text')];
    expect(one).to.match(/^[A-Za-z0-9_-]+$/);
    expect(one).to.not.equal(other);
  });

  it('opens no token of another purpose', () => {
    const ring = new KeyRing(['a key']);
    expect(ring.unprotect('other', ring.protect('p', 'text'))).to.equal(undefined);
  });

  it('opens no token in which any byte has another value', () => {
    const ring = new KeyRing(['a key']);
    const bytes = Buffer.from(ring.protect('p', 'some text'), 'base64url');
    for (let index = 0; index < bytes.length; index++)
      for (const change of [0x01, 0x80, 0xff]) {
        const changed = Buffer.from(bytes);
        changed[index] = (changed[index] as number) ^ change;
        expect(ring.unprotect('p', changed.toString('base64url')), `byte ${index}`).to.equal(undefined);
      }
  });

  it('opens no token in which any letter is another one', () => {
    const ring = new KeyRing(['a key']);
    const token = ring.protect('p', 'some text');
    for (let index = 0; index < token.length; index++)
      for (const letter of letters) {
        if (letter === token[index]) continue;
        const changed = token.slice(0, index) + letter + token.slice(index + 1);
        expect(ring.unprotect('p', changed), `letter ${index}`).to.equal(undefined);
      }
  });

  it('opens no token that was cut, or that has something added', () => {
    const ring = new KeyRing(['a key']);
    const token = ring.protect('p', 'some text');
    for (let length = 0; length < token.length; length++)
      expect(ring.unprotect('p', token.slice(0, length))).to.equal(undefined);
    for (const more of ['A', '=', ' ', '.', 'AAAA']) expect(ring.unprotect('p', token + more)).to.equal(undefined);
  });

  it('opens nothing that it did not seal, and never throws', () => {
    const ring = new KeyRing(['a key']);
    const texts = fc.oneof(
      fc.string(),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from([1, ...bytes]).toString('base64url')),
    );
    fc.assert(
      fc.property(texts, (text) => ring.unprotect('p', text) === undefined),
      effort(),
    );
  });

  it('seals with the newest key, and opens with all', () => {
    const old = new KeyRing(['old']);
    const both = new KeyRing(['new', 'old']);
    const fresh = new KeyRing(['new']);
    expect(both.unprotect('p', old.protect('p', 'text'))).to.equal('text');
    expect(fresh.unprotect('p', both.protect('p', 'text'))).to.equal('text');
    expect(old.unprotect('p', both.protect('p', 'text'))).to.equal(undefined);
    expect(fresh.unprotect('p', old.protect('p', 'text'))).to.equal(undefined);
  });

  it('takes bytes as it takes texts', () => {
    const token = new KeyRing([Buffer.from('a key')]).protect('p', 'text');
    expect(new KeyRing(['a key']).unprotect('p', token)).to.equal('text');
  });

  for (const keys of [[], [''], ['a', new Uint8Array()]])
    it(`takes no list such as [${keys.map((key) => JSON.stringify(key)).join(', ')}]`, () => {
      expect(() => new KeyRing(keys))
        .to.throw()
        .with.property('code', 'HUB_OPTION_INVALID');
    });
});

describe('tokens', () => {
  const ring = new KeyRing(['a key']);

  it('give back what was sealed', () => {
    expect(openConnectionToken(ring, sealConnectionToken(ring, claim))).to.deep.equal(claim);
    const { token, tooMany } = sealGroupsToken(ring, groups, 4_096);
    expect(tooMany).to.equal(false);
    expect(openGroupsToken(ring, token)).to.deep.equal(groups);
  });

  it('of one kind are none of the other', () => {
    expect(openGroupsToken(ring, sealConnectionToken(ring, claim))).to.equal(undefined);
    expect(openConnectionToken(ring, sealGroupsToken(ring, groups, 4_096).token)).to.equal(undefined);
  });

  it('of too many groups name none, and say so', () => {
    const many = { ...groups, groups: { chat: Array.from({ length: 1_000 }, (_, index) => `group ${index}`) } };
    const { token, tooMany } = sealGroupsToken(ring, many, 4_096);
    expect(tooMany).to.equal(true);
    expect(token.length).to.be.at.most(4_096);
    expect(openGroupsToken(ring, token)).to.deep.equal({ ...groups, groups: undefined });
  });

  it('with hubs and groups of any names give them back', () => {
    const named = fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), fc.array(fc.string({ unit: 'grapheme' })));
    fc.assert(
      fc.property(named, (names) => {
        const { token } = sealGroupsToken(ring, { ...groups, groups: names }, 1_000_000);
        expect(openGroupsToken(ring, token)?.groups).to.deep.equal({ ...names });
      }),
      effort(50),
    );
  });
});
