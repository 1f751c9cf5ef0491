import { WebSocketServer } from 'ws';

/** Makes WebSockets of upgrades. They are not compressed: what is secret would travel with what an attacker chose. */
export function webSocketServer(maxPayload: number): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload,
    // None of the protocols is a sub-protocol; without this the client's first one would be chosen.
    handleProtocols: () => false,
  });
}
