import { hub, Hub, hubMethod } from '@hubline/core';
import { expect } from 'chai';
import { eventRecorder, expectNothingHeld, rawApp, Refused } from '../../support/raw-client.js';

@hub('broken')
class BrokenHub extends Hub {
  constructor() {
    super();
    throw new Error('no database');
  }
  @hubMethod() call() {
    return 1;
  }
}

@hub('brokenAtConnect')
class BrokenAtConnectHub extends BrokenHub {
  override onConnected(): void {}
}

@hub('brokenAtReconnect')
class BrokenAtReconnectHub extends BrokenHub {
  override onReconnected(): void {}
}

@hub('brokenAtDisconnect')
class BrokenAtDisconnectHub extends BrokenHub {
  override onDisconnected(): void {}
}

@hub('sound')
class SoundHub extends Hub {
  @hubMethod() call() {
    return 1;
  }
}

const hubs = [BrokenHub, BrokenAtConnectHub, BrokenAtReconnectHub, BrokenAtDisconnectHub, SoundHub];

describe('a hub whose constructor throws', () => {
  it('does not keep the server from starting', async () => {
    await using app = rawApp({ hubs });
    await app.server.start();
  });

  it('has its clients connected, and its calls end with the error', async () => {
    await using app = rawApp({ hubs });
    const client = app.classic(['broken', 'sound']);
    const socket = await client.start();
    socket.send({ H: 'broken', M: 'call', I: 0 });
    expect(await socket.answer('0')).to.have.property('E', "There was an error invoking Hub method 'broken.call'.");
    expect(app.loggedCodes).to.deep.equal(['HUB_CREATE_FAILED']);
    expect(app.log.items[0]?.level).to.equal('error');
    socket.send({ H: 'sound', M: 'call', I: 1 });
    expect(await socket.answer('1')).to.include({ R: 1 });
    await client.abort();
    expectNothingHeld(app.server);
  });

  it('tells what happened only with detailed errors', async () => {
    await using app = rawApp({ hubs, detailedErrors: true });
    const socket = await app.classic(['broken']).start();
    socket.send({ H: 'broken', M: 'call', I: 0 });
    expect(await socket.answer('0'))
      .to.have.property('E')
      .that.includes("An instance of hub 'broken' could not be made.");
  });

  it('refuses connects if it overrides onConnected', async () => {
    const recorder = eventRecorder();
    await using app = rawApp({ hubs, modules: [recorder] });
    const client = app.classic(['brokenAtConnect', 'sound']);
    const refused = await client.start().catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Refused).with.property('status', 500);
    // The other hub's connect had completed.
    expect(recorder.events).to.deep.equal(['connect', 'disconnect error']);
    expect(app.loggedCodes).to.include.members(['HUB_EVENT_FAILED', 'HUB_CREATE_FAILED']);
    expectNothingHeld(app.server);
  });

  it('refuses resumes if it overrides onReconnected, and the connection waits', async () => {
    await using app = rawApp({ hubs });
    const client = app.classic(['brokenAtReconnect']);
    await (await client.start()).drop();
    const refused = await client.reconnect().catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Refused).with.property('status', 403);
    expect(app.server.connectionCount).to.equal(1);
    await app.clock.advance(32_000);
    expectNothingHeld(app.server);
  });

  it('is no reason to keep a connection that ends', async () => {
    await using app = rawApp({ hubs });
    const client = app.classic(['brokenAtDisconnect']);
    await client.start();
    await client.abort();
    expect(app.loggedCodes).to.deep.equal(['HUB_EVENT_FAILED', 'HUB_CREATE_FAILED']);
    expectNothingHeld(app.server);
  });
});
