/** The JSON codec: round trips, what one WebSocket message carries, and chance input. */
import {
  carriedValue,
  ERROR_CODES,
  jsonCodec,
  JsonText,
  payloadOf,
  payloadText,
  PROTOCOL_LIMITS,
  SUBPROTOCOL_JSON,
} from "@tailwire/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  anyMessage,
  decode,
  decodeOne,
  type Direction,
  encode,
  messageOf,
  refusal,
  type Table,
  TYPES,
} from "./arbitraries.ts";

const DIRECTIONS: readonly Direction[] = ["client", "server"];
const ping = (id: string): string => `{"type":"ping","id":"${id}","timestamp":1}\n`;

const CODES: ReadonlySet<string> = new Set(Object.keys(ERROR_CODES));

/** Everything but a message or a coded refusal is a failure, and so is a throw. */
function expectCoded(direction: Direction, wire: string): void {
  const uncoded = decode(direction, wire).filter((decoded) =>
    "malformed" in decoded
      ? !CODES.has(decoded.malformed.code) || decoded.malformed.detail === ""
      : !Object.hasOwn(decoded, "message"),
  );
  expect(uncoded).toEqual([]);
}

describe("[ENC-1] a message that was encoded decodes to itself", () => {
  test.each(TYPES)("from a %s: %s", (direction, type) => {
    fc.assert(
      fc.property(messageOf(direction, type), (message) => {
        const line = encode(message);
        expect(line.endsWith("\n")).toBe(true);
        expect(line.indexOf("\n")).toBe(line.length - 1);
        const decoded = decodeOne(direction, line);
        expect(decoded).toEqual({ message });
        // Once more, from what was decoded: encoding is stable.
        expect(encode((decoded as unknown as { message: Table }).message)).toBe(line);
      }),
      { numRuns: 200 },
    );
  });
});

test("[ENC-1] one WebSocket message carries several messages, in order", () => {
  fc.assert(
    fc.property(fc.array(anyMessage, { maxLength: 20 }), fc.boolean(), (sent, lastNewline) => {
      for (const direction of DIRECTIONS) {
        const messages = sent.filter(([from]) => from === direction).map(([, message]) => message);
        const text = messages.map(encode).join("");
        const wire = lastNewline ? text : text.replace(/\n$/, "");
        expect(decode(direction, wire)).toEqual(messages.map((message) => ({ message })));
      }
    }),
  );
});

test("[ENC-1] an empty WebSocket message carries none, an empty line is malformed", () => {
  for (const direction of DIRECTIONS) {
    expect(decode(direction, "")).toEqual([]);
    expect(decode(direction, `${ping("a")}\n${ping("b")}`)).toMatchObject([
      { message: { id: "a" } },
      { malformed: { code: "bad_message", re: null } },
      { message: { id: "b" } },
    ]);
  }
});

test("[ENC-2] a WebSocket message of 1,024 lines is carried, one of 1,025 is refused as a whole", () => {
  const lines = Array.from({ length: PROTOCOL_LIMITS.batchMax }, (_, index) => ping(`k${index}`));
  for (const direction of DIRECTIONS) {
    expect(decode(direction, lines.join(""))).toHaveLength(1_024);
    expect(decode(direction, lines.join("") + ping("more"))).toMatchObject([
      { malformed: { code: "bad_message", re: null } },
    ]);
  }
});

test("[ENC-5] a binary WebSocket message is malformed, whatever it holds", () => {
  for (const direction of DIRECTIONS) {
    for (const bytes of [new Uint8Array(0), new TextEncoder().encode(ping("a"))]) {
      expect(decode(direction, bytes)).toMatchObject([
        { malformed: { code: "bad_message", re: null } },
      ]);
    }
  }
});

test("[ENC-6] data is kept as its normalised text", () => {
  const line = (text: string): string =>
    `{"type":"publish","id":"k","timestamp":1,"channel":"a","event":"e","sequence":1,"settled":0,"data":${text}}\n`;
  const normalised = (text: string): string => {
    const decoded = decodeOne("client", line(text));
    if (!("message" in decoded) || decoded.message?.type !== "publish") throw new Error(text);
    return payloadText(payloadOf(carriedValue(decoded.message)));
  };
  expect(normalised('{ "b" : 1 , "a" : [ 1.0 , 1e2 , -0 ] }')).toBe('{"b":1,"a":[1,100,0]}');
  expect(normalised('{"a":1,"b":2,"a":3}')).toBe('{"a":3,"b":2}');
  expect(normalised('{"b":0,"2":0,"1":0}')).toBe('{"1":0,"2":0,"b":0}');
  expect(normalised(String.raw`"\u0041\/\ud800\u00e9"`)).toBe('"A/\\ud800é"');
  expect(normalised('{"__proto__":{"a":1}}')).toBe('{"__proto__":{"a":1}}');
});

test("[ENC-6] data that is text already is copied as it stands", () => {
  const data = JsonText.of({ a: [1, "\n"] });
  expect(payloadOf(carriedValue({ data }))).toBe(data);
  const message = {
    type: "publish",
    id: "k",
    timestamp: 1,
    channel: "a",
    event: "e",
    sequence: 1,
    settled: 0,
    data,
  } as const;
  expect(jsonCodec.encode(message)).toBe(
    `{"type":"publish","id":"k","timestamp":1,"channel":"a","event":"e","sequence":1,"settled":0,"data":${data.text}}\n`,
  );
});

test("[MSG-4] a message of an unknown type is refused with bad_message, under its id", () => {
  fc.assert(
    fc.property(fc.string(), fc.string({ unit: "binary" }), (type, other) => {
      fc.pre(!TYPES.some(([direction, known]) => direction === "client" && known === type));
      const line = `${JSON.stringify({ type, id: "k3.1", timestamp: 1, other })}\n`;
      expect(refusal("client", line)).toMatchObject({ code: "bad_message", re: "k3.1" });
    }),
  );
});

test("[VER-3] a message of a type that no server of today sends is ignored", () => {
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), (type, other) => {
      fc.pre(!TYPES.some(([direction, known]) => direction === "server" && known === type));
      expect(decodeOne("server", JSON.stringify({ type, id: other, other }))).toEqual({
        message: null,
      });
    }),
  );
});

test("[VER-4] features that nobody knows are no fault of a welcome", () => {
  const welcome = fc.sample(messageOf("server", "welcome"), { numRuns: 1, seed: 1 })[0] as Table;
  const features = ["request", "", "x".repeat(64)];
  expect(decodeOne("server", encode({ ...welcome, features }))).toMatchObject({
    message: { features },
  });
});

test("[ERR-1] an error of a code that isn't in the table decodes, with its fault and whether to retry", () => {
  const error = { code: "of_tomorrow", description: "", fault: "server", retry: true };
  const line = encode({ type: "error", id: "s1", timestamp: 1, ...error });
  expect(decodeOne("server", line)).toMatchObject({ message: error });
  expect(Object.keys(ERROR_CODES)).not.toContain(error.code);
});

describe("[MSG-1] chance input gives messages or coded refusals, and never throws", () => {
  test.each(DIRECTIONS)("as text, from a %s", (direction) => {
    const anything = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      fc.string({ unit: fc.constantFrom(...Array.from('{}[]",:\\ue0n\n ')) }),
    );
    fc.assert(
      fc.property(anything, (wire) => expectCoded(direction, wire)),
      { numRuns: 2_000 },
    );
  });

  test.each(TYPES)("in place of a field, from a %s: %s", (direction, type) => {
    fc.assert(
      fc.property(messageOf(direction, type), fc.jsonValue(), fc.nat(), (message, value, pick) => {
        const keys = Object.keys(message);
        const key = keys[pick % keys.length] as string;
        expectCoded(direction, `${JSON.stringify({ ...message, [key]: value })}\n`);
      }),
      { numRuns: 200 },
    );
  });

  test("as a message with a few characters changed", () => {
    const change = fc.tuple(fc.nat(), fc.string({ unit: "binary", maxLength: 2 }));
    fc.assert(
      fc.property(
        anyMessage,
        fc.array(change, { minLength: 1, maxLength: 4 }),
        ([direction, message], changes) => {
          let line = encode(message);
          for (const [place, text] of changes) {
            const at = place % line.length;
            line = line.slice(0, at) + text + line.slice(at + 1);
          }
          expectCoded(direction, line);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

test("[VER-1] the codec names the subprotocol that it speaks", () => {
  expect(jsonCodec.subprotocol).toBe("tailwire.v1.json");
  expect(SUBPROTOCOL_JSON).toBe(jsonCodec.subprotocol);
});
