/** Input made to hurt: what is too large to be stored as a vector, and what is after prototypes. */
import { JsonText, PROTOCOL_LIMITS } from "@tailwire/protocol";
import { describe, expect, test } from "vitest";
import { decode, decodeOne, type Direction, refusal } from "./arbitraries.ts";

interface Attack {
  readonly name: string;
  /** The line that a client or a server might send. */
  readonly line: () => string;
  readonly code: string;
  readonly re: string | null;
}

/** A ping with more in it, or with something else in place of its id. */
const ping = (rest: string, id = '"k3.1"'): string =>
  `{"type":"ping","id":${id},"timestamp":1${rest}}\n`;
const nest = (levels: number, open = "[", close = "]", inside = ""): string =>
  open.repeat(levels) + inside + close.repeat(levels);
const keys = (count: number): string =>
  Array.from({ length: count }, (_, index) => `,"k${index}":0`).join("");

const ATTACKS: readonly Attack[] = [
  {
    name: "[ENC-4] 100,000 lists in each other",
    line: () => nest(100_000),
    code: "bad_message",
    re: null,
  },
  {
    name: "[ENC-4] 100,000 objects in each other",
    line: () => nest(100_000, '{"a":', "}", "0"),
    code: "bad_message",
    re: null,
  },
  {
    name: "[ENC-4] 100,000 lists in a field that nobody knows",
    line: () => ping(`,"x":${nest(100_000)}`),
    code: "bad_message",
    re: null,
  },
  {
    name: "[ENC-4] 100,000 lists that never end",
    line: () => "[".repeat(100_000),
    code: "bad_message",
    re: null,
  },
  {
    name: "[ENC-4] 100,000 lists behind a text with a bracket and a quote in it",
    line: () => ping(String.raw`,"x":["]]\"]]",${nest(100_000)}]`),
    code: "bad_message",
    re: null,
  },
  {
    name: "[MSG-6] 1,000,000 keys",
    line: () => ping(keys(1_000_000)),
    code: "bad_message",
    re: "k3.1",
  },
  {
    name: "[MSG-6] 1,000,000 keys that look like integers",
    line: () => ping(keys(1_000_000).replaceAll('"k', '"')),
    code: "bad_message",
    re: "k3.1",
  },
  {
    name: "[MSG-1] an id of 1,000,000 characters",
    line: () => ping("", `"${"a".repeat(1_000_000)}"`),
    code: "bad_message",
    re: null,
  },
  {
    name: "[MSG-1] a type of 1,000,000 characters",
    line: () => `{"type":"${"a".repeat(1_000_000)}","id":5}\n`,
    code: "bad_message",
    re: null,
  },
  {
    name: "[ENC-3] a number of 1,000,000 digits",
    line: () => ping(`,"x":${"9".repeat(1_000_000)}`),
    code: "bad_message",
    re: null,
  },
  {
    name: "[CHAN-1] a channel of 1,000,000 characters",
    line: () =>
      `{"type":"unsubscribe","id":"k3.1","timestamp":1,"channel":"${"a:".repeat(500_000)}a"}\n`,
    code: "bad_channel",
    re: "k3.1",
  },
  {
    name: "[DEL-1] a position whose epoch has 1,000,000 characters",
    line: () =>
      `{"type":"subscribe","id":"k3.1","timestamp":1,"channel":"a","start":{"epoch":"${"e".repeat(1_000_000)}","offset":1,"id":null}}\n`,
    code: "bad_position",
    re: "k3.1",
  },
];

/** All that a prototype is made of. */
const shapeOf = (prototype: object): string =>
  Reflect.ownKeys(prototype)
    .map(
      (key) => `${String(key)}: ${JSON.stringify(Object.getOwnPropertyDescriptor(prototype, key))}`,
    )
    .join("\n");
const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype, String.prototype];
const before = PROTOTYPES.map(shapeOf);

test.each(ATTACKS.map((attack) => [attack.name, attack] as const))(
  "%s: refused",
  (_, { line, code, re }) => {
    const malformed = refusal("client", line());
    expect(malformed).toMatchObject({ code, re });
    // A refusal never quotes what was refused.
    expect(malformed?.detail.length).toBeLessThan(200);
  },
);

test("[ENC-4] a message nests 64 levels deep, and data as deep as JsonText lets it", () => {
  expect(decodeOne("client", ping(`,"x":${nest(64)}`))).toHaveProperty("message");
  expect(refusal("client", ping(`,"x":${nest(65)}`))).toMatchObject({ code: "bad_message" });
  const data = JsonText.of(JSON.parse(nest(64, '{"a":', "}", "0")));
  const publish = `{"type":"publish","id":"k","timestamp":1,"channel":"a","event":"e","sequence":1,"settled":0,"data":${data.text}}`;
  expect(decodeOne("client", publish)).toMatchObject({ message: { type: "publish" } });
});

test("[MSG-6] 100,000 keys within data are data", () => {
  const data = `{${keys(100_000).slice(1)}}`;
  const line = `{"type":"publish","id":"k","timestamp":1,"channel":"a","event":"e","sequence":1,"settled":0,"data":${data}}\n`;
  expect(decodeOne("client", line)).toMatchObject({ message: { type: "publish" } });
});

describe("[ENC-3] a number that a double can't hold is malformed", () => {
  const publish = (data: string): string =>
    `{"type":"publish","id":"k","timestamp":1,"channel":"a","event":"e","sequence":1,"settled":0,"data":${data}}\n`;
  const OVERFLOWS = [
    "1e309",
    "-1e309",
    "1E+400",
    "1.8e308",
    "[1e999]",
    '{"a":{"b":-9e9999}}',
    `${"1".repeat(310)}.5`,
    "0.1e310",
  ];
  test.each(OVERFLOWS)("%s", (data) => {
    expect(refusal("client", publish(data))).toMatchObject({ code: "bad_message", re: null });
  });

  test.each([
    "1e308",
    "1.7976931348623157e308",
    "1e-999",
    "-0",
    '"1e400"',
    '["e999",1]',
    `"${"9".repeat(400)}"`,
  ])("%s isn't", (data) => {
    expect(decodeOne("client", publish(data))).toMatchObject({
      message: { data: JSON.parse(data) as unknown },
    });
  });
});

test("[ENC-3] many digits overflow with an exponent of two", () => {
  const line = `{"type":"publish","id":"k","timestamp":1,"channel":"a","event":"e","sequence":1,"settled":0,"data":1${"0".repeat(250)}e99}`;
  expect(refusal("client", line)).toMatchObject({ code: "bad_message" });
});

describe("[MSG-5] keys that some languages take for their own machinery", () => {
  const DIRECTIONS: readonly Direction[] = ["client", "server"];
  for (const key of ["__proto__", "constructor", "prototype"]) {
    test(`${key} is refused in a message`, () => {
      for (const direction of DIRECTIONS) {
        for (const value of ["null", '{"polluted":true}', '{"prototype":{"polluted":true}}']) {
          const malformed = refusal(direction, ping(`,"${key}":${value}`));
          expect(malformed).toMatchObject({ code: "bad_message", re: "k3.1" });
        }
      }
    });

    test(`${key} is data within data, and comes out as it went in`, () => {
      const data = `{"${key}":{"polluted":true}}`;
      const line = `{"type":"publish","id":"k","timestamp":1,"channel":"a","event":"e","sequence":1,"settled":0,"data":${data}}\n`;
      const decoded = decodeOne("client", line);
      if (!("message" in decoded) || decoded.message?.type !== "publish")
        throw new Error("refused");
      expect(JsonText.of(decoded.message.data).text).toBe(data);
      expect(Object.keys(JsonText.of(decoded.message.data).parse() as object)).toEqual([key]);
    });
  }

  test("names of a prototype's members are no types and no choices", () => {
    for (const name of Object.getOwnPropertyNames(Object.prototype)) {
      const line = `{"type":"${name}","id":"k3.1","timestamp":1}\n`;
      expect(refusal("client", line)).toMatchObject({ code: "bad_message" });
      expect(decodeOne("server", line)).toEqual({ message: null });
    }
  });
});

test("[ENC-2] 65,536 newlines are one refusal", () => {
  expect(decode("client", "\n".repeat(PROTOCOL_LIMITS.messageBytesMax))).toHaveLength(1);
});

// The last test of this file, so that it sees what all others have left.
test("[MSG-5] after all of this, every prototype is what it was", () => {
  expect(PROTOTYPES.map(shapeOf)).toEqual(before);
  expect({}).not.toHaveProperty("polluted");
  expect([]).not.toHaveProperty("polluted");
});
