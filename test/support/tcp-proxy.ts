import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { atTestEnd } from './cleanup.js';
import { Recorder } from './recorder.js';
import { localhost } from './servers.js';

/** How a connection is cut: `reset` as when a cable is pulled and put back, `end` as by a polite middleman. */
export type Cut = 'reset' | 'end';

/** One direction of a proxied connection. */
export class ProxiedStream {
  /** How many bytes have gone through. */
  bytes = 0;
  private limit = Number.POSITIVE_INFINITY;
  private onLimit: () => void = () => undefined;
  private held: Buffer[] | undefined;
  private over: 'end' | 'close' | undefined;

  constructor(private readonly target: Socket) {}

  /** Keeps what comes from now on, also that the other side has gone, until `release()`. */
  hold(): void {
    this.held ??= [];
  }

  /** Passes on what was held, and everything from now on. */
  release(): void {
    const { held, over } = this;
    this.held = undefined;
    for (const chunk of held ?? []) this.pass(chunk);
    if (over !== undefined) this.finish(over);
  }

  /** Lets so many more bytes through and then calls `reached`; the rest is dropped. */
  limitTo(bytes: number, reached: () => void): void {
    this.limit = this.bytes + bytes;
    this.onLimit = reached;
  }

  /** Takes what one side has sent. */
  pass(chunk: Buffer): void {
    if (this.held !== undefined) {
      this.held.push(chunk);
      return;
    }
    const room = this.limit - this.bytes;
    const part = chunk.length > room ? chunk.subarray(0, room) : chunk;
    this.bytes += part.length;
    if (part.length > 0 && this.target.writable) this.target.write(part);
    if (this.bytes >= this.limit) this.onLimit();
  }

  /** The side that sends has ended, or is gone. */
  finish(over: 'end' | 'close'): void {
    if (this.held !== undefined) this.over = over;
    else if (over === 'end') this.target.end();
    else this.target.destroySoon();
  }
}

/** A connection through the proxy. */
export class ProxiedConnection {
  readonly toServer: ProxiedStream;
  readonly toClient: ProxiedStream;
  private isCut = false;

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    closed: () => void,
  ) {
    this.toServer = new ProxiedStream(server);
    this.toClient = new ProxiedStream(client);
    for (const [from, to, stream] of [
      [client, server, this.toServer],
      [server, client, this.toClient],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (chunk) => stream.pass(chunk));
      from.on('end', () => stream.finish('end'));
      from.on('error', () => undefined);
      from.on('close', () => {
        if (!this.isCut) stream.finish('close');
        if (to.closed || this.isCut) closed();
      });
    }
  }

  /** Takes the connection away from both sides. */
  cut(how: Cut = 'reset'): void {
    if (this.isCut) return;
    this.isCut = true;
    for (const socket of [this.client, this.server]) {
      if (how === 'reset') socket.resetAndDestroy();
      else socket.destroySoon();
    }
  }

  /** Cuts after so many more bytes in one direction. */
  cutAfter(direction: 'toServer' | 'toClient', bytes: number, how: Cut = 'reset'): void {
    this[direction].limitTo(bytes, () => this.cut(how));
  }

  /** Stops both directions, as a network that loses everything; `release()` lets it through in the end. */
  hold(): void {
    this.toServer.hold();
    this.toClient.hold();
  }

  release(): void {
    this.toServer.release();
    this.toClient.release();
  }
}

/** A network between clients and a server on this machine that can be cut, held and limited. */
export class TcpProxy {
  /** Open connections, the oldest first. */
  readonly connections = new Set<ProxiedConnection>();
  /** Every connection that there was. */
  readonly opened = new Recorder<ProxiedConnection>('the connections through the proxy');
  /** While it is true, whoever connects is reset at once. */
  refuses = false;
  /** Called with each new connection before its first byte. */
  onConnection: (connection: ProxiedConnection) => void = () => undefined;

  private constructor(
    private readonly listener: Server,
    /** Where new connections go. */
    public targetPort: number,
  ) {
    listener.on('connection', (socket: Socket) => this.take(socket));
  }

  /** Listens on a free port, until the test is over. */
  static async start(targetPort: number): Promise<TcpProxy> {
    const listener = createServer({ allowHalfOpen: true });
    const proxy = new TcpProxy(listener, targetPort);
    listener.listen(0, localhost);
    await once(listener, 'listening');
    atTestEnd(() => proxy.close());
    return proxy;
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** `http://127.0.0.1:…`, without a path. */
  get url(): string {
    return `http://${localhost}:${this.port}`;
  }

  /** Cuts every open connection. */
  cut(how: Cut = 'reset'): void {
    for (const connection of this.connections) connection.cut(how);
  }

  /** Cuts every open connection, and refuses new ones until `restore()`. */
  goDown(): void {
    this.refuses = true;
    this.cut();
  }

  restore(): void {
    this.refuses = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.listener.close();
    await once(this.listener, 'close');
  }

  private take(client: Socket): void {
    if (this.refuses) {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: this.targetPort, host: localhost, allowHalfOpen: true });
    const connection: ProxiedConnection = new ProxiedConnection(client, server, () => {
      this.connections.delete(connection);
    });
    this.connections.add(connection);
    this.onConnection(connection);
    this.opened.add(connection);
  }
}
