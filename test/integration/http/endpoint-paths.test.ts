import { expect } from 'chai';
import { RawConnection, request } from '../../support/raw-http.js';
import { attachHubs, listenOn } from '../../support/site.js';
import { Application, ChatHub } from './application.js';

const classicQuery = '?clientProtocol=2.1&connectionData=[]';

/** Who answers a request: one of the families, or the application. */
async function whoAnswers(method: string, path: string): Promise<string> {
  const application = new Application();
  const http = application.serve();
  attachHubs(http, { hubs: [ChatHub] });
  const { port } = await listenOn(http);
  const { body, headers } = await request(port, path, { method });
  if (body.startsWith('the application:')) return 'application';
  if (headers['content-type']?.startsWith('application/json') !== true) return body;
  return body.includes('ProtocolVersion') ? 'classic' : 'core';
}

const paths: readonly (readonly [method: string, path: string, who: string])[] = [
  ['POST', '/chat/negotiate', 'core'],
  ['POST', '/chat/negotiate?negotiateVersion=1', 'core'],
  ['POST', '/CHAT/Negotiate', 'core'],
  ['POST', '/chat//negotiate', 'core'],
  ['POST', '//chat/negotiate', 'core'],
  ['POST', '/chat/negotiate/', 'core'],
  ['POST', '/%63hat/negotiate', 'core'],
  ['POST', '/chatter/negotiate', 'application'],
  ['POST', '/cha/negotiate', 'application'],
  ['POST', '/my/chat/negotiate', 'application'],
  ['POST', '/chat/negotiate/more', 'application'],
  ['POST', '/chat/more/negotiate', 'application'],
  ['POST', '/negotiate', 'application'],
  ['GET', '/', 'application'],
  ['GET', '/%zz', 'application'],
  ['GET', `/signalr/negotiate${classicQuery}`, 'classic'],
  ['GET', `/SignalR/Negotiate${classicQuery}`, 'classic'],
  ['GET', `/signalr//negotiate${classicQuery}`, 'classic'],
  ['GET', `//signalr/negotiate${classicQuery}`, 'classic'],
  ['GET', `/signalr/js/negotiate${classicQuery}`, 'classic'],
  ['GET', `/signalrs/negotiate${classicQuery}`, 'application'],
];

describe('the paths of the endpoints', () => {
  for (const [method, path, who] of paths)
    it(`${method} ${path} is for the ${who}`, async () => {
      expect(await whoAnswers(method, path)).to.equal(who);
    });

  it('a WebSocket at the path of a hub is the hub’s, and one beside it is not', async () => {
    const http = new Application().serve();
    attachHubs(http, { hubs: [ChatHub] });
    const { port } = await listenOn(http);
    for (const [path, status] of [
      ['/chat', 101],
      ['/Chat/', 101],
      ['//chat', 101],
      ['/chatter', 404],
      ['/chat/more', 404],
    ] as const) {
      const connection = await RawConnection.upgrade(port, path);
      expect(await connection.head(), path).to.have.property('status', status);
    }
  });
});
