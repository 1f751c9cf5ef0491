import { once, type EventEmitter } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { duplexPair, type Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { HubServer } from '../server/hub-server.js';

/** What a server answered to a short request. */
export interface MemoryResponse {
  readonly status: number;
  readonly body: string;
}

/** What a client needs of its WebSocket. The library's own types are not installed where this package is used. */
export interface ClientSocket extends EventEmitter {
  send(text: string): void;
  close(): void;
  terminate(): void;
}

/** A WebSocket in memory, and the server's end of what carries it. */
export interface MemoryWebSocket {
  readonly socket: ClientSocket;
  readonly serverSide: Duplex;
}

/** HTTP and WebSockets to a server, through pairs of streams in memory instead of sockets. */
export class MemoryNetwork {
  private readonly http: Server;
  private readonly open = new Set<Duplex>();

  constructor(server: HubServer) {
    this.http = createServer((_request, response) => {
      response.statusCode = 404;
      response.end();
    });
    server.attach(this.http);
  }

  async request(method: string, path: string, headers: Readonly<Record<string, string>>): Promise<MemoryResponse> {
    const createConnection = () => this.connect().clientSide;
    const request = httpRequest({
      method,
      path,
      headers: { ...headers, host: 'test' },
      createConnection: createConnection as never,
    });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let body = '';
    response.setEncoding('utf8');
    for await (const chunk of response) body += chunk as string;
    return { status: response.statusCode ?? 0, body };
  }

  webSocket(path: string, headers: Readonly<Record<string, string>>): MemoryWebSocket {
    const { clientSide, serverSide } = this.connect();
    const options = { headers: { ...headers }, perMessageDeflate: false, createConnection: () => clientSide };
    return { socket: new WebSocket(`ws://test${path}`, options as never), serverSide };
  }

  close(): void {
    for (const side of this.open) side.destroy();
    this.http.close();
  }

  private connect(): { readonly clientSide: Duplex; readonly serverSide: Duplex } {
    const [clientSide, serverSide] = duplexPair();
    for (const [side, other] of [
      [clientSide, serverSide],
      [serverSide, clientSide],
    ] as const) {
      this.open.add(side);
      side.on('error', () => undefined);
      // As with a network, one end does not outlive the other.
      side.on('close', () => {
        this.open.delete(side);
        other.destroy();
      });
    }
    this.http.emit('connection', serverSide);
    return { clientSide, serverSide };
  }
}
