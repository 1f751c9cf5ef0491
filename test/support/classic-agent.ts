// What runs beside the official classic client, in its window: in jsdom and in Chromium alike. Nothing but JSON goes in
// and out, so that both can be driven alike.

/** Something that the client has seen. */
export type ClassicEvent =
  | { readonly type: 'message'; readonly hub: string; readonly method: string; readonly args: readonly unknown[] }
  | { readonly type: 'answer'; readonly hub: string; readonly method: string }
  | { readonly type: 'state'; readonly from: string; readonly to: string }
  | { readonly type: 'reconnecting' | 'reconnected' | 'disconnected' | 'slow' }
  | { readonly type: 'error'; readonly message: string };

/** What became of a call. */
export interface ClassicOutcome {
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly source: string | undefined; readonly data: unknown };
  readonly progress: readonly unknown[];
}

/** How the client is set up. */
export interface ClassicSettings {
  /** The client methods of each hub that are listened to. The client lists only hubs with at least one. */
  readonly hubs: Readonly<Record<string, readonly string[]>>;
  /** Where the server is, below the origin. Default: the client's own, `/signalr`. */
  readonly path?: string;
  /** Goes into every request's query. */
  readonly query?: Readonly<Record<string, string>>;
  /** How long it waits before it reconnects; its own default is 2 s. */
  readonly reconnectDelayMs?: number;
}

/** What the agent can be told to do; it stands in the window as `classic`. */
export interface ClassicAgent {
  open(origin: string, settings: ClassicSettings): void;
  /** Answers the connection's id. */
  start(): Promise<string>;
  stop(): void;
  invoke(hub: string, method: string, args: readonly unknown[]): Promise<ClassicOutcome>;
  /** Puts keys into the state of a hub's proxy, and answers the whole of it. */
  state(hub: string, changes: Readonly<Record<string, unknown>>): Record<string, unknown>;
  /** What the client presents when it comes back. */
  carries(): { readonly messageId: string | undefined; readonly groupsToken: string | undefined };
}

interface Deferred<T> {
  progress(callback: (value: unknown) => void): Deferred<T>;
  done(callback: (value: T) => void): Deferred<T>;
  fail(callback: (error: ClassicFailure) => void): Deferred<T>;
}

interface ClassicFailure {
  readonly message: string;
  readonly source?: string;
  readonly data?: unknown;
}

interface HubProxy {
  readonly state: Record<string, unknown>;
  on(method: string, callback: (...args: unknown[]) => void): void;
  invoke(method: string, ...args: unknown[]): Deferred<unknown>;
}

interface HubConnection {
  readonly id: string;
  readonly messageId?: string;
  readonly groupsToken?: string;
  reconnectDelay: number;
  createHubProxy(name: string): HubProxy;
  start(options: { transport: string }): Deferred<unknown>;
  stop(): void;
  stateChanged(callback: (change: { readonly oldState: number; readonly newState: number }) => void): void;
  error(callback: (error: ClassicFailure) => void): void;
  reconnecting(callback: () => void): void;
  reconnected(callback: () => void): void;
  disconnected(callback: () => void): void;
  connectionSlow(callback: () => void): void;
}

interface HubConnectionOptions {
  qs?: Readonly<Record<string, string>>;
  useDefaultPath?: boolean;
}

/** The client's window. */
interface ClassicWindow {
  readonly jQuery: { hubConnection(url: string, options: HubConnectionOptions): HubConnection };
  classic: ClassicAgent;
  /** Takes events out of the window, as JSON. */
  report(json: string): unknown;
}

/** Runs in the window, as text: it can use nothing from outside of itself. */
function install(window: ClassicWindow): void {
  const stateNames: Readonly<Record<number, string>> = {
    0: 'connecting',
    1: 'connected',
    2: 'reconnecting',
    4: 'disconnected',
  };
  const report = (event: ClassicEvent): void => void window.report(JSON.stringify(event));
  const proxies: Record<string, HubProxy> = {};
  let connection: HubConnection;

  const proxyOf = (hub: string): HubProxy => (proxies[hub] ??= connection.createHubProxy(hub));

  const listen = (): void => {
    connection.stateChanged(({ oldState, newState }) =>
      report({ type: 'state', from: stateNames[oldState] ?? '?', to: stateNames[newState] ?? '?' }),
    );
    connection.error(({ message }) => report({ type: 'error', message }));
    connection.reconnecting(() => report({ type: 'reconnecting' }));
    connection.reconnected(() => report({ type: 'reconnected' }));
    connection.disconnected(() => report({ type: 'disconnected' }));
    connection.connectionSlow(() => report({ type: 'slow' }));
  };

  window.classic = {
    open(origin, { hubs, path, query, reconnectDelayMs }) {
      const options: HubConnectionOptions = query === undefined ? {} : { qs: query };
      if (path !== undefined) options.useDefaultPath = false;
      connection = window.jQuery.hubConnection(`${origin}${path ?? ''}`, options);
      if (reconnectDelayMs !== undefined) connection.reconnectDelay = reconnectDelayMs;
      listen();
      for (const hub of Object.keys(hubs))
        for (const method of hubs[hub] ?? [])
          proxyOf(hub).on(method, (...args) => report({ type: 'message', hub, method, args }));
    },
    start: () =>
      new Promise((resolve, reject) => {
        connection
          .start({ transport: 'webSockets' })
          .done(() => resolve(connection.id))
          .fail((error) => reject(new Error(error.message)));
      }),
    stop: () => {
      connection.stop();
    },
    invoke: (hub, method, args) =>
      new Promise((resolve) => {
        const progress: unknown[] = [];
        const answer = (outcome: ClassicOutcome): void => {
          report({ type: 'answer', hub, method });
          resolve(outcome);
        };
        proxyOf(hub)
          .invoke(method, ...args)
          .progress((value) => progress.push(value))
          .done((result) => answer({ result, progress }))
          .fail(({ message, source, data }) => answer({ error: { message, source, data }, progress }));
      }),
    state: (hub, changes) => Object.assign(proxyOf(hub).state, changes),
    carries: () => ({ messageId: connection.messageId, groupsToken: connection.groupsToken }),
  };
}

/** A script that puts the agent into the window in which it runs. */
export const classicAgentScript = `(${install.toString()})(window);`;
