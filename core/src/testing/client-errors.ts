/** An error that a call was answered with, as the client sees it; what `invoke` and `call` reject with. */
export class CallFailed extends Error {
  constructor(
    message: string,
    /** Whether the server threw it for the client: a `HubException`. */
    readonly isHubException: boolean,
    readonly data: unknown,
  ) {
    super(message);
    this.name = 'CallFailed';
  }
}

/** A request that the server refused, with the HTTP status; what `start` and `resume` reject with. */
export class RequestRefused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(`${status}: ${message}`);
    this.name = 'RequestRefused';
  }
}
