// What runs beside the official ASP.NET Core client: in this process and in Chromium's pages alike. Nothing but JSON
// goes in and out, so that both can be driven alike.

/** Something that the client has seen. */
export type CoreEvent =
  | { readonly type: 'message'; readonly method: string; readonly args: readonly unknown[] }
  | { readonly type: 'answered'; readonly method: string }
  | { readonly type: 'reconnecting'; readonly error: string | null }
  | { readonly type: 'closed'; readonly error: string | null }
  | { readonly type: 'reconnected'; readonly id: string | null };

/** What became of a call. */
export type CoreOutcome = { readonly result: unknown } | { readonly error: string };

/** How the client is set up. */
export interface CoreSettings {
  /** The path of the hub, with its query. */
  readonly path: string;
  /** The client methods that are listened to. */
  readonly methods: readonly string[];
  readonly skipNegotiation?: boolean;
  /** The delays of its automatic reconnect; without them it does not reconnect. */
  readonly reconnectDelaysMs?: readonly number[];
  readonly accessToken?: string;
  /** Default: JSON. */
  readonly messagePack?: boolean;
}

/** What the agent can be told to do. */
export interface CoreAgent {
  open(origin: string, settings: CoreSettings): void;
  /** Its result is the connection's id as the client knows it. */
  start(): Promise<CoreOutcome>;
  stop(): Promise<void>;
  invoke(method: string, args: readonly unknown[]): Promise<CoreOutcome>;
  send(method: string, args: readonly unknown[]): Promise<void>;
  /** Reads a stream of the server to its end. */
  stream(method: string, args: readonly unknown[]): Promise<CoreOutcome>;
  /** Calls a method with a stream of the client as its last argument. */
  upload(method: string, args: readonly unknown[], items: readonly unknown[]): Promise<CoreOutcome>;
}

/** What the agent uses of the official packages. */
interface SignalR {
  readonly HubConnectionBuilder: new () => ConnectionBuilder;
  readonly Subject: new () => { next(item: unknown): void; complete(): void };
  readonly HttpTransportType: { readonly WebSockets: number };
  readonly LogLevel: { readonly None: number };
}

interface ConnectionBuilder {
  withUrl(url: string, options: object): this;
  withAutomaticReconnect(delaysMs: number[]): this;
  withHubProtocol(protocol: object): this;
  configureLogging(level: number): this;
  build(): Connection;
}

interface Connection {
  readonly connectionId: string | null;
  on(method: string, callback: (...args: unknown[]) => void): void;
  onclose(callback: (error?: Error) => void): void;
  onreconnecting(callback: (error?: Error) => void): void;
  onreconnected(callback: (id?: string) => void): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  invoke(method: string, ...args: unknown[]): Promise<unknown>;
  send(method: string, ...args: unknown[]): Promise<void>;
  stream(
    method: string,
    ...args: unknown[]
  ): {
    subscribe(reader: { next(item: unknown): void; complete(): void; error(error: Error): void }): unknown;
  };
}

/** Makes an agent. It runs as text too, so it can use nothing from outside of itself. */
export function makeCoreAgent(
  signalR: SignalR,
  MessagePackProtocol: new () => object,
  report: (event: CoreEvent) => void,
): CoreAgent {
  let connection: Connection;
  const outcomeOf = (promise: Promise<unknown>): Promise<CoreOutcome> =>
    promise.then(
      (result) => ({ result }),
      (error: Error) => ({ error: error.message }),
    );
  return {
    open(origin, { path, methods, skipNegotiation = false, reconnectDelaysMs, accessToken, messagePack }) {
      const builder = new signalR.HubConnectionBuilder()
        .withUrl(`${origin}${path}`, {
          transport: signalR.HttpTransportType.WebSockets,
          skipNegotiation,
          ...(accessToken === undefined ? {} : { accessTokenFactory: () => accessToken }),
        })
        .configureLogging(signalR.LogLevel.None);
      if (reconnectDelaysMs !== undefined) builder.withAutomaticReconnect([...reconnectDelaysMs]);
      if (messagePack === true) builder.withHubProtocol(new MessagePackProtocol());
      connection = builder.build();
      for (const method of methods) connection.on(method, (...args) => report({ type: 'message', method, args }));
      connection.onclose((error) => report({ type: 'closed', error: error?.message ?? null }));
      connection.onreconnecting((error) => report({ type: 'reconnecting', error: error?.message ?? null }));
      connection.onreconnected((id) => report({ type: 'reconnected', id: id ?? null }));
    },
    start: () => outcomeOf(connection.start().then(() => connection.connectionId)),
    stop: () => connection.stop(),
    invoke: (method, args) =>
      outcomeOf(connection.invoke(method, ...args)).then((outcome) => {
        report({ type: 'answered', method });
        return outcome;
      }),
    send: (method, args) => connection.send(method, ...args),
    stream: (method, args) =>
      outcomeOf(
        new Promise((resolve, reject) => {
          const items: unknown[] = [];
          connection.stream(method, ...args).subscribe({
            next: (item) => items.push(item),
            complete: () => resolve(items),
            error: reject,
          });
        }),
      ),
    upload(method, args, items) {
      const subject = new signalR.Subject();
      const outcome = outcomeOf(connection.invoke(method, ...args, subject));
      for (const item of items) subject.next(item);
      subject.complete();
      return outcome;
    },
  };
}
