/** Base64 (RFC 4648 §4, padded): bytes in JSON. Both functions exist on every platform alike. */
declare function atob(text: string): string;
declare function btoa(text: string): string;

/** Bytes at once: what a call can take as arguments is limited. */
const CHUNK = 8_192;

export function toBase64(bytes: Uint8Array): string {
  let units = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    units += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(units);
}

/** The bytes; null where the text isn't exactly what {@link toBase64} makes of them. */
export function fromBase64(text: string): Uint8Array | null {
  try {
    const units = atob(text);
    return btoa(units) === text ? Uint8Array.from(units, (unit) => unit.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}
