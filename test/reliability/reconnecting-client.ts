import {
  ClassicWire,
  UpgradeRefused,
  type Envelope,
  type WireMessage,
  type WireSocket,
} from '../support/classic-wire.js';
import { Recorder } from '../support/recorder.js';

/**
 * A classic client that keeps what the protocol makes a client keep, the cursor and the groups token, and comes back at
 * once whenever its socket is gone. It calls all the time, so that there are bytes in both directions.
 */
export class ReconnectingClient {
  readonly messages = new Recorder<readonly unknown[]>('the messages');
  /** Whatever a server must not do. */
  readonly complaints: string[] = [];
  /** How many sockets it had; those that were never opened count. */
  sockets = 0;
  private messageId: string | undefined;
  private groupsToken: string | undefined;
  private stopped = false;
  private socket: WireSocket | undefined;
  private calls = 0;

  constructor(
    /** Reaches the server through the network that is cut. */
    private readonly cutWire: ClassicWire,
    /** Reaches it directly. */
    private readonly safeWire: ClassicWire,
  ) {}

  /** Connects and starts; from then on it is on its own. */
  async begin(): Promise<void> {
    await this.safeWire.negotiate();
    this.cutWire.token = this.safeWire.token;
    const socket = await this.cutWire.connect();
    this.take(socket);
    await socket.frame(1);
    await this.safeWire.start();
  }

  /** Calls a method, and waits for the answer. Only while nothing is cut. */
  async invoke(method: string, ...args: readonly unknown[]): Promise<void> {
    const { socket } = this;
    if (socket === undefined) throw new Error('There is no socket.');
    const id = `call ${method} ${String(args[0])}`;
    socket.send({ H: 'rooms', M: method, A: args, I: id });
    await socket.answer(id);
  }

  stop(): void {
    this.stopped = true;
    this.socket?.cut();
  }

  private take(socket: WireSocket): void {
    this.socket = socket;
    this.sockets++;
    this.calls = 0;
    // What has come with the answer to the upgrade has been written down already.
    for (const frame of socket.frames.items) this.read(socket, frame);
    const add = socket.frames.add.bind(socket.frames);
    socket.frames.add = (frame) => {
      add(frame);
      this.read(socket, frame);
    };
    this.call(socket);
    void socket.closed.then(() => this.comeBack());
  }

  private async comeBack(): Promise<void> {
    this.socket = undefined;
    while (!this.stopped) {
      try {
        this.take(await this.cutWire.reconnect({ messageId: this.messageId, groupsToken: this.groupsToken }));
        return;
      } catch (error) {
        this.sockets++;
        // A request that was cut is tried again; a server that refuses is something else.
        if (error instanceof UpgradeRefused) this.complaints.push(error.message);
      }
    }
  }

  /** As official clients do: the groups token, the cursor, then the messages. */
  private read(socket: WireSocket, frame: string): void {
    if (this.socket !== socket && this.socket !== undefined) this.complaints.push(`An older socket brought ${frame}`);
    const envelope = JSON.parse(frame) as Envelope;
    if (envelope.I !== undefined) {
      this.check(socket, envelope);
      return;
    }
    if (envelope.E !== undefined) this.complaints.push(`The server said: ${envelope.E}`);
    if (envelope.G !== undefined) this.groupsToken = envelope.G;
    if (envelope.C !== undefined) this.messageId = envelope.C;
    for (const message of envelope.M ?? []) this.hear(message);
  }

  private hear({ H: hub, A: args }: WireMessage): void {
    if (hub === 'rooms' && args !== undefined) this.messages.add(args);
  }

  /** An answer must be the one to the call of this socket with that id; then the next call follows. */
  private check(socket: WireSocket, { I: id, R: result }: Envelope): void {
    if (id?.startsWith('call ')) return;
    const expected = `socket ${this.sockets}, call ${id}`;
    if (result !== expected) this.complaints.push(`The answer to '${expected}' was '${String(result)}'`);
    this.call(socket);
  }

  /** Ids begin at 0 with each socket, as the official client's do. */
  private call(socket: WireSocket): void {
    const id = this.calls++;
    socket.send({ H: 'rooms', M: 'echo', A: [`socket ${this.sockets}, call ${id}`], I: id });
  }
}
