import { clientMethods, type ChatConnection, type ConnectionEvents, type ConnectionState } from './connection.js';
import { pageId } from './page-id.js';

/** The parts of the classic client that are used here; it brings no types. */
interface ClassicHubConnection {
  readonly id: string | undefined;
  createHubProxy(name: string): ClassicHubProxy;
  start(options: { readonly transport: string }): PromiseLike<unknown>;
  stop(): void;
  stateChanged(handler: (change: { readonly newState: number }) => void): void;
}

interface ClassicHubProxy {
  on(method: string, handler: (...args: never[]) => void): void;
  invoke(method: string, ...args: readonly unknown[]): PromiseLike<unknown>;
}

declare const $: { hubConnection(url: string, options: { readonly qs: object }): ClassicHubConnection };

/** As the client numbers them. */
const states: Readonly<Record<number, ConnectionState>> = {
  0: 'connecting',
  1: 'connected',
  2: 'reconnecting',
  4: 'disconnected',
};

/** `signalr` 2.4.3 with jQuery: it comes back with the same connection, its groups and a cursor. */
export class ClassicConnection implements ChatConnection {
  private readonly connection: ClassicHubConnection;
  private readonly hub: ClassicHubProxy;

  constructor(events: ConnectionEvents) {
    this.connection = $.hubConnection('/signalr', { qs: { page: pageId } });
    this.hub = this.connection.createHubProxy('chat');
    for (const method of clientMethods) this.hub.on(method, events[method].bind(events));
    this.connection.stateChanged(({ newState }) => events.state(states[newState] ?? 'disconnected'));
  }

  get id(): string | undefined {
    return this.connection.id;
  }

  async start(): Promise<void> {
    await this.connection.start({ transport: 'webSockets' });
  }

  stop(): Promise<void> {
    this.connection.stop();
    return Promise.resolve();
  }

  async call<Result>(method: string, ...args: readonly unknown[]): Promise<Result> {
    return (await this.hub.invoke(method, ...args)) as Result;
  }
}
