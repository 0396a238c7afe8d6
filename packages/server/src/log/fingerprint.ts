/**
 * A fingerprint of a publication as it was sent, kept beside its sequence, so that a sequence that is
 * used twice for different publications is noticed. Only its own producer could gain from a collision:
 * 53 bits without cryptography are enough.
 */
import { type Payload, payloadText } from "@tailwire/protocol";

/** 53 bits of hash over an id, an event and a payload, by two multiplicative hashes of 32 bits. */
export function fingerprint(id: string, event: string, payload: Payload): number {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (const part of [id, "\n", event, "\n", payloadText(payload)]) {
    for (let index = 0; index < part.length; index += 1) {
      const unit = part.charCodeAt(index);
      a = Math.imul(a ^ unit, 0x01000193);
      b = Math.imul(b ^ unit, 0x5bd1e995) ^ (b >>> 15);
    }
  }
  return (a >>> 0) * 0x200000 + ((b >>> 0) & 0x1fffff);
}
