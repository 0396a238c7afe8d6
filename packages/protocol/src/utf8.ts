/** Lengths in UTF-8. `TextEncoder` exists on every platform. */
declare class TextEncoder {
  encode(text: string): Uint8Array;
}

const encoder = new TextEncoder();

export function utf8Of(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Bytes of `text` in UTF-8. A lone surrogate counts 3, as the replacement character does. */
export function utf8Length(text: string): number {
  return encoder.encode(text).length;
}

/** The longest beginning of `text` with at most `max` bytes in UTF-8. No character is cut in two. */
export function utf8Truncate(text: string, max: number): string {
  if (utf8Length(text) <= max) return text;
  let cut = "";
  let bytes = 0;
  for (const character of text) {
    bytes += utf8Length(character);
    if (bytes > max) break;
    cut += character;
  }
  return cut;
}
