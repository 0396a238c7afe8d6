/** A MessagePack writer of the tests' own, after the format's page: every form of every value. */

/** Writes a JSON value; bytes as bin. `wide` takes the widest form of everything. */
export function pack(value: unknown, wide = false): Uint8Array {
  return Uint8Array.from(bytesOf(value, wide));
}

function bytesOf(value: unknown, wide: boolean): number[] {
  if (value === null) return [0xc0];
  if (typeof value === "boolean") return [value ? 0xc3 : 0xc2];
  if (typeof value === "number") return numberBytes(value, wide);
  if (typeof value === "string") {
    const text = [...new TextEncoder().encode(value)];
    return [...head(text.length, { fix: [0xa0, 31], 1: 0xd9, 2: 0xda, 4: 0xdb }, wide), ...text];
  }
  if (value instanceof Uint8Array) {
    return [...head(value.length, { 1: 0xc4, 2: 0xc5, 4: 0xc6 }, wide), ...value];
  }
  if (Array.isArray(value)) {
    const items = value.flatMap((item) => bytesOf(item, wide));
    return [...head(value.length, { fix: [0x90, 15], 2: 0xdc, 4: 0xdd }, wide), ...items];
  }
  const entries = Object.entries(value as object);
  const items = entries.flatMap(([key, one]) => [...bytesOf(key, wide), ...bytesOf(one, wide)]);
  return [...head(entries.length, { fix: [0x80, 15], 2: 0xde, 4: 0xdf }, wide), ...items];
}

interface Heads {
  readonly fix?: readonly [base: number, max: number];
  readonly 1?: number;
  readonly 2: number;
  readonly 4: number;
}

function head(length: number, heads: Heads, wide: boolean): number[] {
  const { fix } = heads;
  if (!wide && fix !== undefined && length <= fix[1]) return [fix[0] + length];
  if (!wide && heads[1] !== undefined && length < 0x100) return [heads[1], length];
  if (!wide && length < 0x1_0000) return [heads[2], ...big(length, 2)];
  return [heads[4], ...big(length, 4)];
}

function numberBytes(value: number, wide: boolean): number[] {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return float(value);
  if (!wide && value >= 0 && value < 0x80) return [value];
  if (!wide && value < 0 && value >= -32) return [value & 0xff];
  // The widest signed form holds all that JavaScript counts exactly.
  const view = new DataView(new ArrayBuffer(8));
  view.setBigInt64(0, BigInt(value));
  return [0xd3, ...new Uint8Array(view.buffer)];
}

function float(value: number): number[] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return [0xcb, ...new Uint8Array(view.buffer)];
}

function big(value: number, bytes: number): number[] {
  return Array.from(
    { length: bytes },
    (_, index) => Math.floor(value / 2 ** (8 * (bytes - 1 - index))) % 0x100,
  );
}
