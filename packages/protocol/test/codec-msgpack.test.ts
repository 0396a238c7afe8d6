/** The MessagePack codec, against the same vectors as JSON and a writer of the tests' own. */
import { readFileSync } from "node:fs";
import { type Decoded, jsonCodec, PROTOCOL_LIMITS } from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  anyMessage,
  type Direction,
  type Message,
  outgoing,
  revived,
  type Table,
} from "./arbitraries.ts";
import { pack } from "./pack.ts";

interface Vector {
  readonly name: string;
  readonly direction: Direction;
  readonly line: string;
  readonly message?: Table | null;
  readonly code?: string;
  readonly re?: string | null;
}

function read(name: string): readonly Vector[] {
  const url = new URL(`../vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8")) as readonly Vector[];
}

function decode(direction: Direction, wire: string | Uint8Array): readonly Decoded<Message>[] {
  return direction === "client"
    ? msgpackCodec.decodeClientMessages(wire)
    : msgpackCodec.decodeServerMessages(wire);
}

/** A message as it stands in MessagePack: data as text, bytes as bytes. */
function packed(message: Table): Table {
  const { data, publications, ...rest } = revived(message);
  return {
    ...rest,
    ...(Object.hasOwn(message, "data") ? { data: JSON.stringify(data) } : {}),
    ...(Array.isArray(publications)
      ? { publications: publications.map((one: unknown) => (isTable(one) ? packed(one) : one)) }
      : Object.hasOwn(message, "publications")
        ? { publications }
        : {}),
  };
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value of a line, where MessagePack can hold it and its meaning is in no JSON rule. */
function valueOf({ line }: Vector): Table | null {
  // Numbers that overflow, nesting and base64 are told by the text alone.
  if (/[eE]\+?\d{3}|\d{210}|"bytes":"|\[{65}|(?:\{"[^"]*":){65}/.test(line)) return null;
  try {
    const value: unknown = JSON.parse(line);
    return isTable(value) ? value : null;
  } catch {
    return null;
  }
}

function titled(vectors: readonly Vector[]): readonly [string, Vector][] {
  return vectors.map((vector) => [`from a ${vector.direction}: ${vector.name}`, vector]);
}

describe("[ENC-10, ENC-11] a valid message is read and written", () => {
  test.each(titled(read("valid")))("%s", (_, { direction, message }) => {
    const expected = revived(message as Table);
    for (const wide of [false, true]) {
      expect(decode(direction, pack(packed(message as Table), wide))).toEqual([
        { message: expected },
      ]);
    }
    const wire = msgpackCodec.encode(outgoing(expected));
    expect(decode(direction, wire)).toEqual([{ message: expected }]);
  });
});

describe("[ENC-10] what is malformed as JSON is malformed as MessagePack", () => {
  const written = read("invalid").filter((vector) => {
    const value = valueOf(vector);
    return value !== null && !Object.hasOwn(value, "__proto__");
  });
  test.each(titled(written))("%s", (_, vector) => {
    const [decoded] = decode(vector.direction, pack(packed(valueOf(vector) as Table)));
    expect(decoded).toMatchObject({ malformed: { code: vector.code, re: vector.re } });
  });

  test("most of the vectors can be written", () => {
    expect(written.length).toBeGreaterThan(read("invalid").length * 0.8);
  });
});

const PING = { type: "ping", id: "k3.1", timestamp: 1 };

describe("[ENC-10] several messages are one binary message", () => {
  test("which are read in order", () => {
    const pings = ["a", "b", "c"].map((id) => ({ ...PING, id }));
    const wire = msgpackCodec.join(pings.map((ping) => msgpackCodec.encode(outgoing(ping))));
    expect(decode("client", wire)).toEqual(pings.map((message) => ({ message })));
    expect(decode("client", new Uint8Array(0))).toEqual([]);
  });

  test("of which there are 1,024 at most", () => {
    const many = Array.from({ length: PROTOCOL_LIMITS.batchMax }, () => pack(PING));
    expect(decode("client", msgpackCodec.join(many))).toHaveLength(1_024);
    expect(decode("client", msgpackCodec.join([...many, pack(PING)]))).toMatchObject([
      { malformed: { code: "bad_message", re: null } },
    ]);
  });

  test("of which none is carried out where one isn't whole", () => {
    const two = msgpackCodec.join([pack(PING), pack(PING)]);
    for (let length = 1; length < two.length; length += 1) {
      if (length === pack(PING).length) continue;
      const decoded = decode("client", (two as Uint8Array).subarray(0, length));
      expect(decoded).toMatchObject([{ malformed: { code: "bad_message", re: null } }]);
    }
  });
});

describe("[ENC-10] hostile bytes", () => {
  const cases: Readonly<Record<string, readonly number[]>> = {
    "an array": [0x91, 0x01],
    "a number": [0x01],
    nil: [0xc0],
    "the byte that is never used": [0xc1],
    "a map that says it has 2^32-1 entries": [0xdf, 0xff, 0xff, 0xff, 0xff],
    "an array that says it has 2^32-1 values": [0x81, 0xa1, 0x61, 0xdd, 0xff, 0xff, 0xff, 0xff],
    "text that says it has 2^32-1 bytes": [0x81, 0xa1, 0x61, 0xdb, 0xff, 0xff, 0xff, 0xff],
    "bytes that say they have 2^32-1": [0x81, 0xa1, 0x61, 0xc6, 0xff, 0xff, 0xff, 0xff],
    "an extension": [0x81, 0xa1, 0x61, 0xd4, 0x01, 0x00],
    "a timestamp": [0x81, 0xa1, 0x61, 0xd6, 0xff, 0, 0, 0, 0],
    "a key that is a number": [0x81, 0x01, 0x01],
    "a key that is bytes": [0x81, 0xc4, 0x01, 0x61, 0x01],
    "a key that is a map": [0x81, 0x80, 0x01],
    "a head cut off": [0x81, 0xa1, 0x61, 0xcd],
  };
  test.each(Object.entries(cases))("%s is malformed as a whole", (_, bytes) => {
    const decoded = decode("client", Uint8Array.from(bytes));
    expect(decoded).toMatchObject([{ malformed: { code: "bad_message", re: null } }]);
  });

  test("nesting beyond 64 is found before anything is built of it", () => {
    const nested = (levels: number): unknown =>
      Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 1);
    expect(decode("client", pack({ ...PING, x: nested(64) }))).toMatchObject([{ message: PING }]);
    expect(decode("client", pack({ ...PING, x: nested(65) }))).toMatchObject([
      { malformed: { code: "bad_message" } },
    ]);
  });

  test("[MSG-5] a key that objects take for their machinery is refused with its message", () => {
    for (const key of ["__proto__", "constructor", "prototype"]) {
      const own: [string, unknown][] = [...Object.entries(PING), [key, { polluted: true }]];
      const entries: object = Object.fromEntries(own);
      const bytes = pack(entries);
      // A message that can't even be held has no id that could be read [MSG-7].
      const re = key === "__proto__" ? null : "k3.1";
      expect(decode("client", bytes)).toMatchObject([{ malformed: { code: "bad_message", re } }]);
    }
    expect(({} as { polluted?: boolean }).polluted).toBe(undefined);
  });

  test("random bytes never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decode("client", bytes);
        decode("server", bytes);
        msgpackCodec.readServerMessages(bytes);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("[ENC-5] text is malformed where MessagePack is spoken", () => {
  expect(decode("client", '{"type":"ping","id":"k","timestamp":1}\n')).toMatchObject([
    { malformed: { code: "bad_message", re: null } },
  ]);
});

describe("[ENC-11] data is JSON text", () => {
  const counted = { sequence: 1, settled: 0 };
  const publish = { type: "publish", id: "k", timestamp: 1, channel: "a", event: "e", ...counted };
  test.each([
    ["text that is no JSON", "{"],
    ["text that is empty", ""],
    ["a number that overflows", "[1e400]"],
    ["nesting beyond 64", "[".repeat(65) + "]".repeat(65)],
    ["what isn't text", 5],
    ["bytes", Uint8Array.from([0x31])],
    ["nil", null],
  ])("%s is malformed, and its request is named", (_, data) => {
    expect(decode("client", pack({ ...publish, data }))).toMatchObject([
      { malformed: { code: "bad_message", re: "k" } },
    ]);
  });

  test("a null within it is a value like any other", () => {
    expect(decode("client", pack({ ...publish, data: "null" }))).toEqual([
      { message: { ...publish, data: null } },
    ]);
  });

  test("[MSG-6] what is unknown and named like it is ignored elsewhere", () => {
    expect(decode("client", pack({ ...PING, data: "{" }))).toMatchObject([{ message: PING }]);
  });
});

test("[ENC-9, ENC-11] every message comes out of either codec as it went in", () => {
  fc.assert(
    fc.property(anyMessage, ([direction, message]) => {
      const json = jsonCodec.encode(outgoing(message));
      const read = direction === "client" ? "decodeClientMessages" : "decodeServerMessages";
      expect(jsonCodec[read](json)).toEqual([{ message }]);
      expect(msgpackCodec[read](msgpackCodec.encode(outgoing(message)))).toEqual([{ message }]);
    }),
    { numRuns: 300 },
  );
});
