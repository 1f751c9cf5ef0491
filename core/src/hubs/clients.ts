/** Names that no client method can have: they tell a promise, a JSON value or a question from a message. */
type ReservedName = 'ask' | 'then' | 'toJSON';

/** Names that a log line or a debugger asks every object for; a send never comes of them. */
type ProbedName = 'constructor' | 'toString' | 'valueOf' | 'inspect';

/** What the server may call on its clients: methods. `ask`, `then` and `toJSON` cannot be among them. */
export type ClientContract = object & { readonly [Name in ReservedName]?: never };

/** The client of a hub that declares none: nothing can be called on it. */
export interface UndeclaredClient {}

type Method = (...args: never[]) => unknown;
type Returned<M> = M extends (...args: never[]) => infer Result ? Result : never;
type ReturnsNothing<M> = M extends Method ? ([Awaited<Returned<M>>] extends [void] ? true : false) : undefined;
type Call<M, Result> = M extends (...args: infer Arguments) => unknown ? (...args: Arguments) => Result : never;

/**
 * The methods of a client that can be sent to any number of clients: those that return nothing. The promise is
 * fulfilled when the message has been published; nobody waits for the clients.
 */
export type Sends<Client> = {
  readonly [
    K in keyof Client as K extends ReservedName | ProbedName
      ? never
      : ReturnsNothing<NonNullable<Client[K]>> extends true
        ? K
        : never
  ]-?: Call<NonNullable<Client[K]>, Promise<void>>;
};

/** One client; so far the same as any other target. */
export type SingleClient<Client> = Sends<Client>;

/** Connections of a group that get nothing. */
export interface GroupTargetOptions {
  /** One id of a connection, or several. */
  readonly except?: string | readonly string[];
}

/**
 * The clients of a hub, as seen from outside a call: `server.hub(ChatHub).clients`.
 *
 * Each member names who gets a message; calling a method of the answer sends it. A name that is empty or not a text
 * throws `HUB_TARGET_INVALID`; an empty list of names is a send to nobody.
 *
 * @example
 * ```ts
 * import type { HubClients } from '@hubline/core';
 *
 * interface ChatClient {
 *   message(room: string, text: string): void;
 * }
 *
 * export async function announce(clients: HubClients<ChatClient>, text: string): Promise<void> {
 *   await clients.all.message('lobby', text);
 *   await clients.groups(['ops', 'dev'], { except: 'connection-1' }).message('ops', text);
 * }
 * ```
 */
export interface HubClients<Client extends ClientContract> {
  /** Every connection of the hub. */
  readonly all: Sends<Client>;
  /** Every connection of the hub but these. */
  allExcept(connectionIds: string | readonly string[]): Sends<Client>;
  /** One connection. */
  client(connectionId: string): SingleClient<Client>;
  /** Some connections. */
  clients(connectionIds: readonly string[]): Sends<Client>;
  /** The members of one group. */
  group(name: string, options?: GroupTargetOptions): Sends<Client>;
  /** The members of some groups; who is in two of them gets the message once. */
  groups(names: readonly string[], options?: GroupTargetOptions): Sends<Client>;
  /** All connections of one user. An anonymous user's id is empty, and nobody's. */
  user(id: string): Sends<Client>;
  /** All connections of some users. */
  users(ids: readonly string[]): Sends<Client>;
}

/**
 * The clients of a hub, as seen by a caller: `this.clients` in a hub. It is {@link HubClients} with the targets that
 * need a caller, and throws as that does.
 *
 * @example
 * ```ts
 * import { hub, Hub, hubMethod } from '@hubline/core';
 *
 * interface ChatClient {
 *   message(room: string, text: string): void;
 * }
 *
 * @hub('chat')
 * export class ChatHub extends Hub<ChatClient> {
 *   @hubMethod() say(room: string, text: string) {
 *     return this.clients.othersInGroup(room).message(room, text);
 *   }
 * }
 * ```
 */
export interface CallerClients<Client extends ClientContract> extends HubClients<Client> {
  /** The connection whose event this is. */
  readonly caller: SingleClient<Client>;
  /** Every connection of the hub but the caller's. */
  readonly others: Sends<Client>;
  /** The members of one group but the caller. */
  othersInGroup(name: string): Sends<Client>;
  /** The members of some groups but the caller. */
  othersInGroups(names: readonly string[]): Sends<Client>;
}
