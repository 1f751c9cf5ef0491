// The little that the tests use of the community's classic client, which has no types.
declare module 'signalr-client' {
  interface CommunityClient {
    readonly connection: { readonly id: string };
    serviceHandlers: Readonly<Record<string, (argument: unknown) => unknown>>;
    on(hub: string, method: string, callback: (...args: unknown[]) => void): void;
    call(
      hub: string,
      method: string,
      ...args: unknown[]
    ): { done(callback: (error: unknown, result: unknown) => void): void };
    start(): void;
    end(): void;
  }

  const library: {
    readonly client: new (
      url: string,
      hubs: readonly string[],
      retrySeconds: number,
      doNotStart: boolean,
    ) => CommunityClient;
  };
  export default library;
  export type { CommunityClient };
}
