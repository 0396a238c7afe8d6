/** Payloads: what is bytes, whoever holds them, and whatever is done to them afterwards. */
import { runInNewContext } from "node:vm";
import { JsonText, payloadOf, TailwireError } from "@tailwire/protocol";
import { describe, expect, test } from "vitest";

const { buffer } = Uint8Array.from({ length: 16 }, (_, index) => index);

function shared(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(16);
  new Uint8Array(memory).set(new Uint8Array(buffer));
  return memory;
}

function codeOf(value: unknown): string | null {
  try {
    payloadOf(value);
    return null;
  } catch (error) {
    if (error instanceof TailwireError) return error.code;
    throw error;
  }
}

describe("[ENC-9] a buffer, and any view of one, is the bytes that it shows", () => {
  test.each<[string, unknown, number, number]>([
    ["an ArrayBuffer", buffer, 0, 16],
    ["a SharedArrayBuffer", shared(), 0, 16],
    ["a view of shared memory", new Uint8Array(shared(), 3, 2), 3, 5],
    ["a Uint8Array", new Uint8Array(buffer), 0, 16],
    ["a Uint8Array that begins later", new Uint8Array(buffer, 4, 5), 4, 9],
    ["a DataView", new DataView(buffer, 3, 7), 3, 10],
    ["a Float32Array", new Float32Array(buffer, 4, 2), 4, 12],
    ["a BigInt64Array", new BigInt64Array(buffer, 8, 1), 8, 16],
    ["a Uint8ClampedArray", new Uint8ClampedArray(buffer, 1, 1), 1, 2],
    ["a Buffer", Buffer.from(buffer, 2, 6), 2, 8],
    ["nothing", new Uint16Array(buffer, 6, 0), 6, 6],
    ["another realm's ArrayBuffer", runInNewContext("Uint8Array.of(0, 1, 2).buffer"), 0, 3],
    ["another realm's view", runInNewContext("Uint8Array.of(0, 1, 2).subarray(1)"), 1, 3],
  ])("%s", (_, value, from, to) => {
    const payload = payloadOf(value);
    expect(Object.getPrototypeOf(payload)).toBe(Uint8Array.prototype);
    expect([...(payload as Uint8Array)]).toEqual([...new Uint8Array(buffer).slice(from, to)]);
  });
});

test("bytes are copied: what happens to the application's afterwards harms nobody", () => {
  for (const memory of [new ArrayBuffer(2), new SharedArrayBuffer(2)]) {
    const payload = payloadOf(memory) as Uint8Array;
    new Uint8Array(memory).fill(7);
    expect([...payload]).toEqual([0, 0]);
    expect(payload.buffer.byteLength).toBe(2);
  }
});

describe("[ENC-12] what isn't bytes any more, or never was, is refused", () => {
  const transferred = (of: (memory: ArrayBuffer) => unknown): unknown => {
    const memory = new ArrayBuffer(4);
    const value = of(memory);
    structuredClone(memory, { transfer: [memory] });
    return value;
  };
  test.each<[string, unknown]>([
    ["a transferred ArrayBuffer", transferred((memory) => memory)],
    ["a view of one", transferred((memory) => new Uint8Array(memory))],
    ["a DataView of one", transferred((memory) => new DataView(memory))],
    ["what calls itself a buffer", { [Symbol.toStringTag]: "ArrayBuffer" }],
  ])("%s", (_, value) => {
    expect(codeOf(value)).toBe("invalid_data");
  });
});

test("everything else is JSON", () => {
  expect(payloadOf({ a: 1 })).toEqual(JsonText.of({ a: 1 }));
  expect(codeOf({ a: buffer })).toBe("invalid_data");
});
