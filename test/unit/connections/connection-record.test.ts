import { createUser, type ConnectionRequest } from '@hubline/core';
import { ConnectionRecord } from '@hubline/core/internal/connections/connection-record.js';
import { ConnectionRegistry } from '@hubline/core/internal/connections/connection-registry.js';
import { Heartbeat } from '@hubline/core/internal/connections/heartbeat.js';
import { LocalMessageBus } from '@hubline/core/internal/messaging/message-bus.js';
import type { EncodedMessage } from '@hubline/core/internal/wire/hub-protocol.js';
import { VirtualClock } from '@hubline/core/testing';
import { expect } from 'chai';
import { fakeProtocol, FakeTransport, type TransportKind } from '../../support/fake-transport.js';

const timeoutMs = 10_000;
const request: ConnectionRequest = {
  method: 'GET',
  path: '/',
  query: new URLSearchParams(),
  headers: {},
  remoteAddress: undefined,
};

/** A connection of the hub `chat`, without a dispatcher. */
const user = createUser({ id: 'ann' });

class Bench {
  readonly clock = new VirtualClock();
  readonly heartbeat = new Heartbeat(this.clock);
  readonly bus: LocalMessageBus<EncodedMessage>;
  readonly record: ConnectionRecord;
  isLost = false;

  constructor(logBytes = 1_000) {
    this.bus = new LocalMessageBus(this.clock, { logAgeMs: 100_000, logBytes }, 'here');
    this.heartbeat.start();
    this.record = new ConnectionRecord(
      'c1',
      user,
      request,
      { protocol: fakeProtocol, disconnectTimeoutMs: timeoutMs, groupsToken: true, parallelCalls: 1 },
      0,
      {
        bus: this.bus,
        heartbeat: this.heartbeat,
        clock: this.clock,
        maxGroups: 10,
        maxCalls: 10,
        groupsToken: () => 'a token',
        lost: () => (this.isLost = true),
      },
    );
    void this.record.subscriptions.listen('chat');
  }

  /** A request comes, and is the connection's transport. */
  open(kind: TransportKind, place = this.bus.head): FakeTransport {
    const transport = new FakeTransport(kind, () => undefined);
    transport.carry(this.record, this.record.claim({ request, user, arrival: 0 }));
    this.record.attach(transport.asTransport, place);
    return transport;
  }

  publish(number: number): void {
    const bytes = Buffer.from(String(number).padStart(20));
    const body: EncodedMessage = {
      sizeBytes: bytes.byteLength,
      encoded: () => bytes,
      frame: (framing, cursor) => framing.frame([bytes], cursor, undefined),
    };
    void this.bus.publish(['h/chat'], body, undefined);
  }
}

describe('ConnectionRecord', () => {
  it('is connected between two polls, and given up when no other comes in time', async () => {
    const bench = new Bench();
    const poll = bench.open('batch');
    bench.record.confirm();
    bench.publish(1);
    await bench.clock.advance(0);
    expect(poll.underWay.map(({ messages }) => messages)).to.deep.equal([[1]]);
    expect([bench.record.state, bench.record.hasTransport]).to.deep.equal(['connected', false]);
    await bench.clock.advance(timeoutMs - 1);
    expect(bench.isLost).to.equal(false);
    await bench.clock.advance(1_001);
    expect(bench.isLost).to.equal(true);
  });

  it('is connected when it is confirmed between two polls', async () => {
    const bench = new Bench();
    bench.open('batch');
    bench.publish(1);
    await bench.clock.advance(0);
    expect(bench.record.confirm()).to.equal(true);
    expect(bench.record.state).to.equal('connected');
  });

  it('waits when it is confirmed and its transport is lost', () => {
    const bench = new Bench();
    bench.open('live').notice();
    expect(bench.record.confirm()).to.equal(true);
    expect(bench.record.state).to.equal('waiting');
  });

  it('stays connected when a poll is cut, and waits when another transport is lost', () => {
    const polling = new Bench();
    const poll = polling.open('batch');
    polling.record.confirm();
    poll.notice();
    expect(polling.record.state).to.equal('connected');
    const live = new Bench();
    const transport = live.open('live');
    live.record.confirm();
    transport.notice();
    expect(live.record.state).to.equal('waiting');
  });

  it('puts all messages of a tick into one batch', async () => {
    const bench = new Bench();
    const poll = bench.open('batch');
    for (const number of [1, 2, 3]) bench.publish(number);
    await bench.clock.advance(0);
    expect(poll.underWay.map(({ messages }) => messages)).to.deep.equal([[1, 2, 3]]);
  });

  it('waits for a resume when a poll asks for what the log has evicted', async () => {
    const bench = new Bench(30);
    const place = bench.bus.head;
    bench.record.claim({ request, user, arrival: 0 });
    bench.record.confirm();
    for (const number of [1, 2, 3]) bench.publish(number);
    const poll = bench.open('batch', place);
    expect(poll.ending).to.deep.equal({ kind: 'lost' });
    expect(bench.record.state).to.equal('waiting');
  });

  it('has the whole time again after each transport that was there, also before it is confirmed', async () => {
    const bench = new Bench();
    for (let count = 0; count < 3; count++) {
      bench.open('live').notice();
      await bench.clock.advance(timeoutMs - 2_000);
    }
    expect(bench.isLost).to.equal(false);
    await bench.clock.advance(4_000);
    expect(bench.isLost).to.equal(true);
  });

  it('says for how long it has had no transport, counted from the last batch', async () => {
    const bench = new Bench();
    bench.open('batch');
    bench.record.confirm();
    bench.publish(1);
    await bench.clock.advance(3_000);
    bench.record.claim({ request, user, arrival: 0 });
    expect(bench.record.downForMs).to.equal(3_000);
  });

  it('holds no topic when it has ended, and takes none any more', () => {
    const bench = new Bench();
    void bench.record.memberships.join('chat', 'room');
    bench.record.end('client', { kind: 'lost' });
    void bench.record.subscriptions.listen('chat');
    expect(bench.bus.topicCount).to.equal(0);
  });
});

describe('ConnectionRegistry', () => {
  it('knows how an id ended for the whole time, also if it had ended before', async () => {
    const clock = new VirtualClock();
    const heartbeat = new Heartbeat(clock);
    heartbeat.start();
    const registry = new ConnectionRegistry(heartbeat, { maxConnections: 1, logAgeMs: 10_000 });
    registry.remember('c1', 'resumable');
    await clock.advance(8_000);
    registry.remember('c1', 'final');
    await clock.advance(8_000);
    expect(registry.howEnded('c1')).to.equal('final');
    await clock.advance(4_000);
    expect([registry.howEnded('c1'), registry.endedCount, heartbeat.timerCount]).to.deep.equal([undefined, 0, 0]);
  });
});
