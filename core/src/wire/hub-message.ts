import { writeJsonList } from '../json.js';

/** A call of a client, as every protocol reads it. */
export interface InboundCall {
  readonly hub: string;
  readonly method: string;
  readonly arguments: readonly unknown[];
  /** The caller's state, where the protocol has one. */
  readonly state: Readonly<Record<string, unknown>> | undefined;
}

/** A call of the server to clients, before a protocol has encoded it. */
export class OutboundCall {
  private json: string | undefined;

  constructor(
    readonly hub: string,
    readonly method: string,
    readonly arguments_: readonly unknown[],
    readonly state: Readonly<Record<string, unknown>> | undefined,
  ) {}

  /** The arguments as a JSON list, written once for all protocols that use JSON. Throws `HUB_CANNOT_ENCODE`. */
  argumentsJson(): string {
    return (this.json ??= writeJsonList(this.arguments_, 'arguments'));
  }
}

/** A value in the form that a protocol puts into a frame. */
export type EncodedValue = string | Uint8Array;

/** Where the answer to one call goes. It belongs to the transport that carried the call. */
export interface CallReply {
  /** Throws `HUB_CANNOT_ENCODE`. */
  encode(value: unknown): EncodedValue;
  succeed(result: EncodedValue, state: Readonly<Record<string, unknown>> | undefined): void;
  fail(error: unknown, state: Readonly<Record<string, unknown>> | undefined): void;
  /** Encodes progress at once; what it gives writes it. Throws `HUB_CANNOT_ENCODE`. */
  progress(value: unknown, state: Readonly<Record<string, unknown>> | undefined): () => void;
}
