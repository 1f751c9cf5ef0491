import type { ChatClient } from '../server/chat-contract.js';

/** The client that a page uses. */
export type ClientKind = 'classic' | 'modern';

/** What a client says of its connection. */
export type ConnectionState = 'connecting' | 'connected' | 'reconnecting' | 'disconnected';

/** What a connection tells the page. */
export interface ConnectionEvents extends ChatClient {
  state(state: ConnectionState): void;
}

/** A connection to the chat hub, whichever client makes it. */
export interface ChatConnection {
  readonly id: string | undefined;
  start(): Promise<void>;
  stop(): Promise<void>;
  call<Result = void>(method: string, ...args: readonly unknown[]): Promise<Result>;
}

/** The client methods of the hub: the page takes them from either client in the same way. */
export const clientMethods = [
  'message',
  'entered',
  'exited',
  'pipeline',
] as const satisfies readonly (keyof ChatClient)[];

/** The names under which people know the two. */
export const clientNames: Readonly<Record<ClientKind, string>> = {
  classic: 'ASP.NET SignalR 2.4.3',
  modern: 'ASP.NET Core SignalR 10',
};
