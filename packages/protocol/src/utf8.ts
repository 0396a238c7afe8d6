/** UTF-8 lengths, without a platform's encoder. */

/** Bytes of `text` in UTF-8. A lone surrogate counts 3, as the replacement character does. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // A pair is one code point of four bytes: two units counted twice, so skip its second half.
    if (unit >= 0xd800 && unit < 0xdc00) {
      const next = text.charCodeAt(index + 1);
      if (next >= 0xdc00 && next < 0xe000) index += 1;
    }
  }
  return bytes;
}

/** `text`, cut so that it has at most `max` bytes in UTF-8, at a character's boundary. */
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
