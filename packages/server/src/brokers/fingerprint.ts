/**
 * A fingerprint of a publication's content, kept beside its id so that an id that is used twice
 * for different content is noticed. Ids begin with their producer's, so nobody gains from a
 * collision but whoever harms himself: 53 bits without cryptography are enough.
 */

/** 53 bits of hash over UTF-16 units, by two multiplicative hashes of 32 bits. */
export function fingerprint(event: string, text: string): number {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (const part of [event, "\n", text]) {
    for (let index = 0; index < part.length; index += 1) {
      const unit = part.charCodeAt(index);
      a = Math.imul(a ^ unit, 0x01000193);
      b = Math.imul(b ^ unit, 0x5bd1e995) ^ (b >>> 15);
    }
  }
  return (a >>> 0) * 0x200000 + ((b >>> 0) & 0x1fffff);
}
