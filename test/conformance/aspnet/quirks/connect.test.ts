import { HubException, type HubPipelineModule } from '@hubline/core';
import { expect } from 'chai';
import { Recorder } from '../../../support/recorder.js';
import { RoomsHub } from '../cases/hubs.js';
import { setUp, goOn, refusal } from './set-up.js';

/** A module whose `connect` waits until the test lets it go on. */
function slowConnect() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const entered = new Recorder<string>('the connects that have begun');
  const module: HubPipelineModule = {
    name: 'slow connect',
    async connect({ connection }, next) {
      entered.add(connection.id);
      await opened;
      await next();
    },
  };
  return { module, entered, open: () => open() };
}

describe('quirks of the classic wire: connect and start', () => {
  it('the init message has exactly C, S and M', async () => {
    const { wire } = await setUp();
    await wire.negotiate();
    const socket = await wire.connect();
    expect(await socket.frame(1)).to.match(/^\{"C":"[^"\\]+","S":1,"M":\[\]\}$/);
  });

  it('connect runs no event; start does, once', async () => {
    const { wire, journal } = await setUp();
    await wire.negotiate();
    const socket = await wire.connect();
    await socket.frame(1);
    expect(journal.entries.items).to.deep.equal([]);
    await wire.start();
    expect(journal.entries.items).to.deep.equal([{ stage: 'connect', hub: 'rooms', id: wire.id }]);
  });

  it('a start that is sent as soon as the socket is open, as some clients do, is answered', async () => {
    const { wire, journal } = await setUp();
    await wire.negotiate();
    const socket = await wire.connect();
    expect((await wire.start()).status).to.equal(200);
    expect(await socket.frame(1)).to.contain('"S":1');
    expect(journal.of('connect')).to.have.length(1);
  });

  it('a second start waits for the first, and shares its outcome', async () => {
    const slow = slowConnect();
    const { wire, journal } = await setUp({}, { modules: [slow.module] });
    await wire.negotiate();
    await wire.connect();
    const first = wire.start();
    await slow.entered.atLeast(1);
    let answered = false;
    const second = wire.start().finally(() => (answered = true));
    // A whole request of another kind goes through meanwhile.
    await wire.get('/signalr/ping');
    expect(answered).to.equal(false);
    slow.open();
    expect([(await first).status, (await second).status]).to.deep.equal([200, 200]);
    expect((await wire.start()).status).to.equal(200);
    expect(journal.of('connect')).to.have.length(1);
    expect(slow.entered.count).to.equal(1);
  });

  it('a start whose connect fails is a 500, for both that share it, and the client is told to stop', async () => {
    const failing = new Recorder<string>('the connects');
    const module: HubPipelineModule = {
      name: 'failing',
      connect({ connection }) {
        failing.add(connection.id);
        throw new HubException('Not today.');
      },
    };
    const { wire, server } = await setUp({}, { modules: [module] });
    await wire.negotiate();
    const socket = await wire.connect();
    const statuses = (await Promise.all([wire.start(), wire.start()])).map(({ status }) => status);
    // One may come when the connection is forgotten already.
    expect(statuses).to.include(500);
    for (const status of statuses) expect(status).to.be.oneOf([500, 503]);
    expect(await socket.frame(2)).to.equal('{"E":"Not today."}');
    expect(await socket.closedWithin()).to.deep.equal({ code: 1000, reason: '' });
    expect(failing.count).to.equal(1);
    expect(server.connectionCount).to.equal(0);
  });

  it('messages are delivered between the init message and the start', async () => {
    const { wire, server } = await setUp();
    await wire.negotiate();
    const socket = await wire.connect();
    await server.hub(RoomsHub).clients.all.note('early');
    await socket.message('early');
    expect((await wire.start()).status).to.equal(200);
  });

  it('a client that calls without a start is connected first, and answered', async () => {
    const { wire, journal } = await setUp();
    await wire.negotiate();
    const socket = await wire.connect();
    socket.send({ H: 'rooms', M: 'echo', A: ['no start'], I: 0 });
    expect(await socket.answer(0)).to.equal('{"R":"no start","I":"0"}');
    expect(journal.of('connect')).to.have.length(1);
    expect((await wire.start()).status, 'a start that comes late').to.equal(200);
    expect(journal.of('connect')).to.have.length(1);
  });

  for (const protocol of ['1.2', '1.3', undefined]) {
    it(`below protocol 1.4 (${protocol ?? 'none is said'}) connect completes before the init message`, async () => {
      const slow = slowConnect();
      const { wire, journal } = await setUp({}, { modules: [slow.module] });
      const more = { clientProtocol: protocol };
      await wire.negotiate();
      const connecting = wire.connect(more);
      await slow.entered.atLeast(1);
      expect(journal.of('connect')).to.have.length(0);
      slow.open();
      const socket = await connecting;
      expect(await socket.frame(1)).to.contain('"S":1');
      expect(journal.of('connect')).to.have.length(1);
      socket.send({ H: 'rooms', M: 'echo', A: ['no start'], I: 0 });
      expect(await socket.answer(0)).to.equal('{"R":"no start","I":"0"}');
    });
  }

  it('below protocol 1.4 a connect that fails is a status', async () => {
    const module: HubPipelineModule = {
      name: 'failing',
      connect() {
        throw new Error('broken');
      },
    };
    const { wire, server } = await setUp({ protocol: '1.3' }, { modules: [module] });
    await wire.negotiate();
    expect(await refusal(wire.connect())).to.equal(500);
    expect(server.connectionCount).to.equal(0);
  });

  it('a second connect for a connection that is not confirmed has the init message again, and runs no event', async () => {
    const { wire, journal, server } = await setUp();
    await wire.negotiate();
    const first = await wire.connect();
    await first.frame(1);
    const second = await wire.connect();
    expect(await second.frame(1)).to.match(/^\{"C":"[^"]+","S":1,"M":\[\]\}$/);
    expect(await first.closedWithin()).to.deep.equal({ code: 1000, reason: '' });
    expect(journal.entries.items).to.deep.equal([]);
    expect((await wire.start()).status).to.equal(200);
    await server.hub(RoomsHub).clients.all.note('to the second');
    await second.message('to the second');
    expect(journal.of('connect')).to.have.length(1);
  });

  it('a connect for a connection that is confirmed is a resume, and its first frame is the init message', async () => {
    const { wire, journal, server } = await setUp();
    const first = await wire.begin();
    first.send({ H: 'rooms', M: 'join', A: ['a'], I: 0 });
    await first.answer(0);
    first.cut();
    await server.hub(RoomsHub).clients.group('a').message('a', 'missed');
    const second = await wire.connect();
    expect(await second.frame(1)).to.match(/^\{"C":"[^"]+","S":1,"M":\[\]\}$/);
    const { resume } = await journal.nth('reconnect');
    expect(resume).to.deep.include({ newLife: false, complete: false, groups: ['a'] });
    await server.hub(RoomsHub).clients.group('a').message('a', 'after');
    await second.frames.until(() => second.messages.length > 0, 'a message');
    expect(second.messages.map(({ A }) => A)).to.deep.equal([['a', 'after']]);
    expect(journal.of('connect')).to.have.length(1);
  });

  it('a groups token on connect is not read', async () => {
    const { wire, journal, port, stop } = await setUp();
    const socket = await wire.begin();
    socket.send({ H: 'rooms', M: 'join', A: ['a'], I: 0 });
    await socket.answer(0);
    const { groupsToken } = socket.carried;
    await stop();
    const next = await goOn(port);
    const again = await wire.connect({ groupsToken });
    expect(await again.frame(1)).to.contain('"S":1');
    await wire.start();
    await next.server.hub(RoomsHub).clients.group('a').message('a', 'not for you');
    await next.server.hub(RoomsHub).clients.all.note('the end');
    await again.message('the end');
    expect(again.messages).to.have.length(1);
    expect([...journal.of('rejoiningGroups'), ...next.journal.of('rejoiningGroups')]).to.deep.equal([]);
  });
});
