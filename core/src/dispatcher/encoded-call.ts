import type { OutboundCall } from '../wire/hub-message.js';
import type { EncodedMessage, Framing, HubProtocol } from '../wire/hub-protocol.js';

/** A call to clients in the bytes of each protocol that is in use. The log keeps it, and nothing of the application. */
export class EncodedCall implements EncodedMessage {
  sizeBytes = 0;
  private readonly protocols: HubProtocol[] = [];
  private readonly forms: Uint8Array[] = [];
  private framings: Framing[] = [];
  private frames: Uint8Array[] = [];

  /** Adds the forms that are missing. Throws `HUB_CANNOT_ENCODE`. */
  encode(call: OutboundCall, protocols: Iterable<HubProtocol>): void {
    for (const protocol of protocols) {
      if (this.protocols.includes(protocol)) continue;
      const form = protocol.encodeCall(call);
      this.protocols.push(protocol);
      this.forms.push(form);
      this.sizeBytes += form.byteLength;
    }
    // Where nobody listens, what cannot be sent fails all the same.
    if (this.protocols.length === 0) call.argumentsJson();
  }

  encoded(protocol: HubProtocol): Uint8Array | undefined {
    return this.forms[this.protocols.indexOf(protocol)];
  }

  frame(framing: Framing, cursor: string): Uint8Array | undefined {
    const known = this.frames[this.framings.indexOf(framing)];
    if (known !== undefined) return known;
    const message = this.encoded(framing.protocol);
    if (message === undefined) return undefined;
    const frame = framing.frame([message], cursor, undefined);
    this.framings.push(framing);
    this.frames.push(frame);
    return frame;
  }

  /** Forgets the finished frames: the message has been handed out. */
  dropFrames(): void {
    this.framings = [];
    this.frames = [];
  }
}
