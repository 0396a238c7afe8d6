// The encoded tail: the log's lines, shared by all who stand at the same place.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  JsonText,
  jsonCodec,
  type Payload,
  payloadText,
  type PublicationMessage,
} from "@tailwire/protocol";
import type { Publication } from "@tailwire/server/broker-contract";
import { encodePage, EncodedTail, type Slice } from "../../src/delivery/encoded-tail.ts";
import { Retained } from "../../src/log/retained.ts";
import { publicationAt, simulatedPorts } from "../harness.ts";

const decoder = new TextDecoder();

const valueOf = (data: Payload): unknown => JSON.parse(payloadText(data));

function testNode(sliceBytesMax = 1_000, count = 1_000) {
  const tail = new Retained(
    { count, bytes: Infinity, maxAgeMs: Infinity },
    { offset: 0, id: null },
  );
  const options = { epoch: "e", sliceBytesMax, startOffset: 0 };
  const encoded = new EncodedTail(simulatedPorts(), jsonCodec, "room:1", options);
  const add = (...lengths: readonly number[]): void => {
    for (const length of lengths) tail.add(publicationOf(tail.last + 1, length));
    tail.trim(0);
  };
  return { tail, add, after: (offset: number) => encoded.sliceAfter(offset, tail) };
}

const publicationOf = (offset: number, length: number): Publication =>
  publicationAt(offset, { data: JsonText.of("é".repeat(length)) });

/** The publications in a slice, as a client decodes them. */
function decode(slice: Slice | null): readonly PublicationMessage[] {
  if (slice === null) return [];
  return jsonCodec.decodeServerMessages(decoder.decode(slice.frame)).map((decoded) => {
    if (!("message" in decoded) || decoded.message?.type !== "publication") {
      throw new Error(`not a publication: ${JSON.stringify(decoded)}`);
    }
    return decoded.message;
  });
}

const offsetsOf = (slice: Slice | null): readonly number[] =>
  decode(slice).map(({ offset }) => offset);

/** The messages that somebody at an offset is sent until the end, slice by slice. */
function runFrom(offset: number, after: (offset: number) => Slice | null) {
  const run: PublicationMessage[] = [];
  let slices = 0;
  for (let slice = after(offset); slice !== null; slice = after(slice.last.offset)) {
    const messages = decode(slice);
    expect(messages.length).toBe(slice.count);
    expect(messages[0]?.offset).toBe(slice.first.offset);
    expect(messages.at(-1)?.offset).toBe(slice.last.offset);
    run.push(...messages);
    slices += 1;
  }
  return { run, slices };
}

describe("a slice", () => {
  test("[DEL-3] is the same bytes for everybody at an offset, until the log grows", () => {
    const { add, after } = testNode();
    add(5, 5, 5);
    const slice = after(1);
    expect(after(1)).toBe(slice);
    expect(after(0)).not.toBe(slice);
    add(5);
    expect(after(1)).not.toBe(slice);
    expect(offsetsOf(after(1))).toEqual([2, 3, 4]);
    expect(offsetsOf(slice)).toEqual([2, 3]);
  });

  test("has a publication's every field", () => {
    const { tail, after } = testNode();
    const publication = publicationAt(1, { publisher: null, event: "a.b", timestamp: 9 });
    tail.add(publication);
    const { data, ...rest } = publication;
    expect(decode(after(0))).toEqual([
      { ...rest, type: "publication", channel: "room:1", data: valueOf(data) },
    ]);
  });

  test("is null at the end, and after it", () => {
    const { add, after } = testNode();
    expect(after(0)).toBeNull();
    add(5);
    expect([after(1), after(2)]).toEqual([null, null]);
    expect(offsetsOf(after(0))).toEqual([1]);
  });

  test("has as many bytes as its limit at most, and one publication at least", () => {
    const { add, after } = testNode(600);
    add(...Array.from({ length: 60 }, () => 10), 1_000, 10);
    const sizes: number[] = [];
    for (let slice = after(0); slice !== null; slice = after(slice.last.offset)) {
      if (slice.count > 1) sizes.push(slice.frame.length);
    }
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(600);
    expect(offsetsOf(after(60))).toEqual([61]);
  });

  test("takes a line that is larger than any segment", () => {
    const { add, after } = testNode(65_536);
    add(5, 60_000, 5);
    const { run } = runFrom(0, after);
    expect(run.map(({ data }) => (data as string).length)).toEqual([5, 60_000, 5]);
  });

  test("ends where memory does, and the next one goes on there", () => {
    const { add, after } = testNode(65_536);
    for (let count = 0; count < 50; count += 1) add(100);
    const { run, slices } = runFrom(0, after);
    expect(run.map(({ offset }) => offset)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
    expect(slices).toBeGreaterThan(1);
  });

  test("has nothing any more of what was trimmed", () => {
    const { add, after } = testNode(1_000_000, 3);
    add(5, 5, 5);
    expect(offsetsOf(after(0))).toEqual([1, 2, 3]);
    add(5, 5);
    expect(offsetsOf(after(2))).toEqual([3, 4, 5]);
    add(5, 5, 5, 5);
    expect(offsetsOf(after(6))).toEqual([7, 8, 9]);
  });

  test("that was given stays what it was while the log goes on", () => {
    const { add, after } = testNode(1_000_000);
    add(5, 5);
    const slice = after(0);
    const before = slice?.frame.slice();
    for (let count = 0; count < 200; count += 1) {
      add(50);
      after(0);
    }
    expect(slice?.frame).toEqual(before);
  });
});

test("[DEL-3] from any offset, each publication comes once and in order, whatever is asked when", () => {
  const length = fc.oneof(fc.nat(30), fc.nat(400), fc.constant(9_000));
  const step = fc.oneof(
    fc.record({ add: fc.array(length, { minLength: 1, maxLength: 5 }) }),
    fc.record({ ask: fc.nat(40) }),
  );
  fc.assert(
    fc.property(fc.array(step), fc.integer({ min: 1, max: 5_000 }), (steps, sliceBytesMax) => {
      const { tail, add, after } = testNode(sliceBytesMax, 20);
      for (const one of steps) {
        if ("add" in one) add(...one.add);
        else after(Math.max(tail.edge, one.ask));
      }
      for (let offset = tail.edge; offset <= tail.last; offset += 1) {
        const expected = [...tail.after(offset)].map(({ id, data }) => [id, valueOf(data)]);
        const { run } = runFrom(offset, after);
        expect(run.map(({ id, data }) => [id, data])).toEqual(expected);
      }
    }),
  );
});

describe("a page", () => {
  const page = (lengths: readonly [number, ...number[]]) =>
    lengths.map((length, index) => publicationOf(index + 1, length)) as [Publication];

  test("is one slice of as many publications as its bytes allow, one at least", () => {
    const ports = simulatedPorts();
    for (const bytesMax of [1, 200, 400, 1_000, 100_000]) {
      const slice = encodePage(ports, jsonCodec, "room:1", "e", page([5, 50, 500, 5]), bytesMax);
      expect(offsetsOf(slice)).toEqual([1, 2, 3, 4].slice(0, slice.count));
      expect([slice.first.offset, slice.last.offset]).toEqual([1, slice.count]);
      expect(slice.count).toBeGreaterThan(0);
    }
  });

  test("is encoded as the tail is", () => {
    const { tail, after } = testNode(100_000);
    const publications = page([5, 50, 5]);
    for (const publication of publications) tail.add(publication);
    const slice = encodePage(simulatedPorts(), jsonCodec, "room:1", "e", publications, 100_000);
    expect(slice.frame).toEqual(after(0)?.frame);
  });
});
