import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { hubError } from '../errors.js';

/** Seals texts so that only this server can read or make them. */
export interface DataProtector {
  /** Seals `text`; what comes out fits into a URL and can be opened for the same purpose only. */
  protect(purpose: string, text: string): string;
  /** The text, or `undefined` if the token is forged, damaged, of another purpose or under an unknown key. */
  unprotect(purpose: string, token: string): string | undefined;
}

const format = 1;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Keys in their order: the newest seals, all open. Tokens are AES-256-GCM (NIST SP 800-38D) under a key derived per
 * purpose by HKDF (RFC 5869), written as base64url: one byte of format, nonce, ciphertext, tag.
 *
 * Nonces are random, so a key should be rotated before it has sealed 2^32 tokens.
 */
export class KeyRing implements DataProtector {
  private readonly keys: readonly Map<string, Buffer>[];
  private readonly secrets: readonly Buffer[];

  constructor(keys: readonly (string | Uint8Array)[]) {
    this.secrets = keys.map((key) => (typeof key === 'string' ? Buffer.from(key, 'utf8') : Buffer.from(key)));
    if (this.secrets.length === 0 || this.secrets.some((secret) => secret.length === 0))
      throw hubError('HUB_OPTION_INVALID', {
        option: 'keys',
        expected: 'a list of texts or bytes, none of them empty',
      });
    this.keys = this.secrets.map(() => new Map<string, Buffer>());
  }

  /** A ring with one random key, which ends with the process. */
  static random(): KeyRing {
    return new KeyRing([randomBytes(32)]);
  }

  protect(purpose: string, text: string): string {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.key(0, purpose), nonce, { authTagLength: tagBytes });
    const body = cipher.update(text, 'utf8');
    return Buffer.concat([Buffer.of(format), nonce, body, cipher.final(), cipher.getAuthTag()]).toString('base64url');
  }

  unprotect(purpose: string, token: string): string | undefined {
    const bytes = Buffer.from(token, 'base64url');
    // Decoding passes over what it does not know: one token has one form.
    if (bytes.toString('base64url') !== token) return undefined;
    if (bytes[0] !== format || bytes.length < 1 + nonceBytes + tagBytes) return undefined;
    const nonce = bytes.subarray(1, 1 + nonceBytes);
    const body = bytes.subarray(1 + nonceBytes, -tagBytes);
    for (let index = 0; index < this.secrets.length; index++) {
      const decipher = createDecipheriv('aes-256-gcm', this.key(index, purpose), nonce, { authTagLength: tagBytes });
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      const text = decipher.update(body);
      try {
        return Buffer.concat([text, decipher.final()]).toString('utf8');
      } catch {
        // Not sealed by this key, or for this purpose: the next one may open it.
      }
    }
    return undefined;
  }

  private key(index: number, purpose: string): Buffer {
    const derived = this.keys[index] as Map<string, Buffer>;
    let key = derived.get(purpose);
    if (key === undefined) {
      key = Buffer.from(hkdfSync('sha256', this.secrets[index] as Buffer, '', `hubline/${purpose}`, 32));
      derived.set(purpose, key);
    }
    return key;
  }
}
