import { createServer } from 'node:http';
import { HubException, type HubPipelineModule, type StageName } from '@hubline/core';
import { VirtualClock } from '@hubline/core/testing';
import { expect } from 'chai';
import { ClassicWire } from '../../support/classic-wire.js';
import { eventually } from '../../support/eventually.js';
import { Journal } from '../../support/journal.js';
import { RawConnection, request } from '../../support/raw-http.js';
import { attachHubs, listenOn } from '../../support/site.js';
import { ChatHub } from './application.js';

/** A module whose stages wait, one after the other, until the test lets them go on. */
class Gate implements HubPipelineModule {
  readonly name = 'gate';
  /** The stages that wait; none does until the test asks for it. */
  readonly stages = new Set<StageName>();
  /** How many have come so far. */
  waiting = 0;
  private readonly held: (() => void)[] = [];

  readonly authorizeConnect: HubPipelineModule['authorizeConnect'] = (_context, next) =>
    this.hold('authorizeConnect', next);
  readonly rejoiningGroups: HubPipelineModule['rejoiningGroups'] = (_context, next) =>
    this.hold('rejoiningGroups', next);
  readonly reconnect: HubPipelineModule['reconnect'] = (_context, next) => this.hold('reconnect', next);

  /** Lets everybody go on who waits. */
  open(): void {
    for (const go of this.held.splice(0)) go();
  }

  private async hold<T>(stage: StageName, next: () => T): Promise<Awaited<T>> {
    if (this.stages.has(stage)) {
      this.waiting++;
      await new Promise<void>((resolve) => this.held.push(resolve));
    }
    return await next();
  }
}

async function serve(...modules: HubPipelineModule[]) {
  const clock = new VirtualClock();
  const gate = new Gate();
  const journal = new Journal();
  const http = createServer();
  const { server } = attachHubs(http, { hubs: [ChatHub], modules: [journal, gate, ...modules], clock });
  return { clock, gate, journal, server, ...(await listenOn(http)) };
}

type Site = Awaited<ReturnType<typeof serve>>;

/** A classic connection that has lost its transport 10 s of its 30 s ago. */
async function lostClassic({ url, clock, server }: Site): Promise<ClassicWire> {
  const wire = new ClassicWire(url, { hubs: ['chat'] });
  (await wire.begin()).cut();
  await eventually(() => heldStates(server).has('waiting'), 'the connection waits');
  await clock.advance(10_000);
  return wire;
}

/** The states of the connections that a server holds. */
function heldStates(server: Site['server']): Set<string> {
  return new Set([...server['dispatcher'].ground.registry].map(({ state }) => state));
}

/** Asks to reconnect, on a connection that is in the test's hands. */
function askToReconnect(wire: ClassicWire, port: number): Promise<RawConnection> {
  const query = new URLSearchParams(wire.query({ transport: 'webSockets' }) as Record<string, string>);
  return RawConnection.upgrade(port, `/signalr/reconnect?${query.toString()}`);
}

const ways = ['reset', 'finish'] as const;

describe('a client that leaves while its upgrade is decided', () => {
  for (const way of ways) {
    describe(`with a ${way === 'reset' ? 'RST' : 'FIN'}`, () => {
      for (const stage of ['authorizeConnect', 'rejoiningGroups', 'reconnect'] as const) {
        it(`gets no 101 when it resumes, and its connection has the time that it had (${stage})`, async () => {
          const site = await serve();
          const wire = await lostClassic(site);
          site.gate.stages.add(stage);
          const leaver = await askToReconnect(wire, site.port);
          await eventually(() => site.gate.waiting === 1, `${stage} runs`);
          // While the stages of a resume run, the time stands.
          await site.clock.advance(2_000);
          const open = site.sockets.size;
          leaver[way]();
          await eventually(() => site.sockets.size < open, 'the server has noticed');
          site.gate.open();
          await eventually(() => [...heldStates(site.server)].join() === 'waiting', 'the connection waits again');
          expect(leaver.text).to.equal('');
          await site.clock.advance(19_000);
          expect(site.server.connectionCount).to.equal(1);
          await site.clock.advance(2_000);
          expect(site.server.connectionCount).to.equal(0);
          expect(site.journal.of('disconnect').map(({ reason }) => reason)).to.deep.equal(['timeout']);
        });
      }

      it('does not keep the next one from resuming', async () => {
        const site = await serve();
        const wire = await lostClassic(site);
        site.gate.stages.add('rejoiningGroups');
        const leaver = await askToReconnect(wire, site.port);
        await eventually(() => site.gate.waiting === 1, 'the stage runs');
        leaver[way]();
        site.gate.stages.clear();
        site.gate.open();
        const back = await wire.reconnect();
        back.send({ H: 'chat', M: 'add', A: [1, 2], I: 0 });
        expect(JSON.parse(await back.answer(0))).to.deep.include({ R: 3, I: '0' });
        expect(site.journal.of('disconnect')).to.deep.equal([]);
      });

      it('gets no 101 when it connects for the first time, and leaves nothing behind', async () => {
        const site = await serve();
        site.gate.stages.add('authorizeConnect');
        const leaver = await RawConnection.upgrade(site.port, '/chat');
        await eventually(() => site.gate.waiting === 1, 'the stage runs');
        leaver[way]();
        await eventually(() => site.sockets.size === 0, 'the server has noticed');
        site.gate.open();
        expect(await request(site.port, '/chat/negotiate')).to.have.property('status', 405);
        expect(leaver.text).to.equal('');
        expect(site.server.connectionCount).to.equal(0);
        expect(site.journal.entries.items).to.deep.equal([]);
      });

      it('is refused in silence', async () => {
        const refusing: HubPipelineModule = {
          name: 'refusing',
          authorizeConnect: () => {
            throw new HubException('Nobody may.');
          },
        };
        const site = await serve(refusing);
        site.gate.stages.add('authorizeConnect');
        const leaver = await RawConnection.upgrade(site.port, '/chat');
        await eventually(() => site.gate.waiting === 1, 'the stage runs');
        leaver[way]();
        await eventually(() => site.sockets.size === 0, 'the server has noticed');
        site.gate.open();
        expect(await request(site.port, '/chat/negotiate')).to.have.property('status', 405);
        expect(leaver.text).to.equal('');
      });
    });
  }

  it('may have spoken before it was let in', async () => {
    const site = await serve();
    site.gate.stages.add('authorizeConnect');
    const early = await RawConnection.upgrade(site.port, '/chat');
    await eventually(() => site.gate.waiting === 1, 'the stage runs');
    // A masked text frame, with a mask of zeros.
    const text = '{"protocol":"json","version":1}\u001e';
    early.socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]));
    const read = site.bytesRead();
    early.socket.write(Buffer.from([0x89, 0x80, 0, 0, 0, 0]));
    await eventually(() => site.bytesRead() > read, 'the server has read it');
    site.gate.open();
    expect(await early.head()).to.have.property('status', 101);
    await eventually(() => early.text.includes('{}\u001e'), 'the answer to the handshake');
  });

  it('may not fill the memory while it waits', async () => {
    const site = await serve();
    site.gate.stages.add('authorizeConnect');
    const flooding = await RawConnection.upgrade(site.port, '/chat');
    await eventually(() => site.gate.waiting === 1, 'the stage runs');
    flooding.socket.write(Buffer.alloc(1024 * 1024));
    await eventually(() => site.sockets.size === 0, 'the server has let go of it');
    site.gate.open();
    expect(flooding.text).to.equal('');
  });
});
