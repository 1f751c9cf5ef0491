import type { HubConnection } from '@microsoft/signalr';
import { clientMethods, type ChatConnection, type ConnectionEvents } from './connection.js';
import { pageId } from './page-id.js';

declare const signalR: typeof import('@microsoft/signalr');

const retryMs = 2_000;

/** `@microsoft/signalr` 10: when it loses its connection it makes a new one, which knows nothing of the old. */
export class ModernConnection implements ChatConnection {
  private readonly connection: HubConnection;

  constructor(private readonly events: ConnectionEvents) {
    this.connection = new signalR.HubConnectionBuilder()
      .withUrl(`/chat?page=${pageId}`)
      .withAutomaticReconnect({ nextRetryDelayInMilliseconds: () => retryMs })
      .configureLogging(signalR.LogLevel.None)
      .build();
    for (const method of clientMethods) this.connection.on(method, events[method].bind(events) as () => void);
    this.connection.onreconnecting(() => events.state('reconnecting'));
    this.connection.onreconnected(() => events.state('connected'));
    this.connection.onclose(() => events.state('disconnected'));
  }

  get id(): string | undefined {
    return this.connection.connectionId ?? undefined;
  }

  async start(): Promise<void> {
    this.events.state('connecting');
    try {
      await this.connection.start();
    } catch (error) {
      this.events.state('disconnected');
      throw error;
    }
    this.events.state('connected');
  }

  stop(): Promise<void> {
    return this.connection.stop();
  }

  async call<Result>(method: string, ...args: readonly unknown[]): Promise<Result> {
    try {
      return await this.connection.invoke<Result>(method, ...args);
    } catch (error) {
      // The client puts its own words in front of the hub's.
      const [, text] = /HubException: (.*)$/s.exec((error as Error).message) ?? [];
      throw new Error(text ?? (error as Error).message, { cause: error });
    }
  }
}
