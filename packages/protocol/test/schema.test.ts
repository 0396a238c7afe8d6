/** The rule of every field of every message: what its table says is what the validator does. */
import {
  type Field,
  type Fields,
  PROTOCOL_LIMITS,
  validateClientMessage,
  validateServerMessage,
} from "@tailwire/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  data,
  decodeOne,
  type Direction,
  encode,
  ENVELOPES,
  messageOf,
  refusal,
  type Table,
  TABLES,
  TYPES,
} from "./arbitraries.ts";

/** A field, and the way to it. */
interface Place {
  readonly path: readonly string[];
  readonly field: Field;
  /** The code that a wrong value here is answered with. */
  readonly code: string;
}

/** All fields of a message, those of objects within it included. */
function placesOf(fields: Fields, path: readonly string[] = [], code = "bad_message"): Place[] {
  return Object.entries(fields).flatMap(([name, field]) => placesIn(field, [...path, name], code));
}

function placesIn(field: Field, path: readonly string[], code: string): Place[] {
  switch (field.kind) {
    case "object": {
      const within = field.code ?? code;
      return [{ path, field, code: within }, ...placesOf(field.fields, path, within)];
    }
    case "nullable":
    case "optional":
      return [
        { path, field, code: codeOf(field.of, code) },
        ...placesIn(field.of, path, code).slice(1),
      ];
    case "channel":
      return [{ path, field, code: "bad_channel" }];
    case "either":
      // Which of the objects it is depends on its keys; the vectors have them one by one.
      return [{ path, field, code }];
    default:
      return [{ path, field, code }];
  }
}

function codeOf(field: Field, code: string): string {
  return field.kind === "object" ? (field.code ?? code) : code;
}

/** Values that break a field's rule. Undefined: left out. */
function wrongValues(field: Field): readonly unknown[] {
  switch (field.kind) {
    case "text": {
      const { min = 1, max, pattern } = field;
      const short = min > 0 ? ["a".repeat(min - 1)] : [];
      const strange =
        pattern === undefined ? [] : [`${"a".repeat(min)}\u00e9`, `${"a".repeat(min)}\n`];
      return [undefined, null, 5, false, [], {}, ["a"], ...short, "a".repeat(max + 1), ...strange];
    }
    case "integer": {
      const past = field.max === Number.MAX_SAFE_INTEGER ? 2 ** 53 : field.max + 1;
      return [undefined, null, "1", true, [], {}, field.min - 1, field.min + 0.5, past, 1e300];
    }
    case "boolean":
      return [undefined, null, 0, 1, "true", [], {}];
    case "channel":
      return [undefined, null, 5, [], {}, "", "a b", "a::b", "..", "x".repeat(201)];
    case "data":
      return [undefined];
    case "choice":
      return [undefined, null, 5, [], {}, "", `${field.values[0]} `];
    case "bytes":
      return [undefined, null, 5, true, [], {}, "AA", [0]];
    case "list":
      return [
        undefined,
        null,
        5,
        "x",
        {},
        [null],
        Array.from({ length: field.max + 1 }, () => "x"),
      ];
    case "object":
      return [undefined, null, 5, true, "x", [], {}, [{}]];
    case "nullable":
      return wrongValues(field.of).filter((value) => value !== null);
    case "optional":
      return wrongValues(field.of).filter((value) => value !== undefined);
    case "either":
      return [undefined, null, 5, true, [], {}, "x", { x: 1 }];
    default:
      return field satisfies never;
  }
}

/** A copy with another value at a path, or without one. Null: the way there isn't in this message. */
function put(message: Table, path: readonly string[], value: unknown): Table | null {
  const [name, ...rest] = path as [string, ...string[]];
  if (rest.length > 0) {
    const inner = message[name];
    if (typeof inner !== "object" || inner === null) return null;
    const changed = put(inner as Table, rest, value);
    return changed === null ? null : { ...message, [name]: changed };
  }
  const { [name]: _, ...others } = message;
  return value === undefined ? others : { ...message, [name]: value };
}

/** The values are data of the test, so no toJSON and no limit of JsonText gets in the way. */
const lineOf = (message: Table): string =>
  `${JSON.stringify(message, (_name, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
  )}\n`;

const sample = (direction: Direction, type: string): readonly Table[] =>
  fc.sample(messageOf(direction, type), { numRuns: 40, seed: 1 });

describe("[MSG-1] each field of each message", () => {
  for (const [direction, type] of TYPES) {
    const fields = { ...ENVELOPES[direction], ...TABLES[direction][type] };
    for (const { path, field, code } of placesOf(fields)) {
      // Data that may be left out has no rule that a line could break.
      if (field.kind === "optional" && field.of.kind === "data") continue;
      test(`${direction} ${type}.${path.join(".")} is refused with ${code} when it breaks its rule`, () => {
        const values = wrongValues(field);
        let tried = 0;
        for (const message of sample(direction, type)) {
          for (const value of values) {
            const wrong = put(message, path, value);
            if (wrong === null) continue;
            tried += 1;
            const malformed = refusal(direction, lineOf(wrong));
            expect({ value, code: malformed?.code }).toEqual({ value, code });
            expect(malformed?.detail).toContain(path.join("."));
          }
        }
        expect(tried).toBeGreaterThan(0);
      });
    }
  }
});

test("[MSG-7] a malformed message is answered under its id where that is a request id", () => {
  for (const [direction, type] of TYPES) {
    for (const message of sample(direction, type)) {
      const id = message["id"] as string;
      const re = refusal(direction, lineOf({ ...message, timestamp: -1 }))?.re;
      expect(re).toBe(/^[!-~]{1,64}$/.test(id) ? id : null);
      expect(refusal(direction, lineOf({ ...message, id: 5 }))?.re).toBe(null);
    }
  }
});

test("[MSG-6] unknown fields are ignored, up to 32 keys in all", () => {
  for (const [direction, type] of TYPES) {
    for (const message of sample(direction, type)) {
      const keys = Object.keys(message).length;
      const filled = { ...message };
      for (let key = keys; key < PROTOCOL_LIMITS.keysMax; key += 1) {
        Object.assign(filled, { [`unknown${key}`]: { key: [key] } });
      }
      expect(decodeOne(direction, encode(filled))).toMatchObject({ message: { type } });
      expect(refusal(direction, encode({ ...filled, oneMore: 1 }))).toMatchObject({
        code: "bad_message",
      });
    }
  }
});

test("no message has more fields than a message may have keys", () => {
  for (const [direction, type] of TYPES) {
    const fields = Object.keys(TABLES[direction][type] ?? {});
    expect(fields.length + 3).toBeLessThanOrEqual(PROTOCOL_LIMITS.keysMax);
    for (const name of ["type", "id", "timestamp"]) expect(fields).not.toContain(name);
  }
});

test("[MSG-1] an ack's data may be left out, and is kept whatever JSON value it is", () => {
  const ack: Table = { type: "ack", id: "s1", timestamp: 1, re: "k3.1" };
  expect(encode(ack)).toBe(lineOf(ack));
  expect(decodeOne("server", encode(ack))).toEqual({ message: ack });
  fc.assert(
    fc.property(data, (value) => {
      const message = { ...ack, data: value };
      expect(decodeOne("server", encode(message))).toEqual({ message });
    }),
    { seed: 1 },
  );
});

test("fields that a value inherits don't count", () => {
  const message: unknown = Object.setPrototypeOf({ type: "ping" }, { id: "k3.1", timestamp: 1 });
  expect(validateClientMessage(message)).toHaveProperty("malformed");
  expect(validateServerMessage(message)).toHaveProperty("malformed");
});

test.each([
  [
    "publish.event",
    { type: "publish", channel: "a", event: "chat message", data: 1 },
    "A-Za-z0-9_.:-",
  ],
  ["request.name", { type: "request", name: "a/b", data: 1 }, "A-Za-z0-9_.:-"],
  ["cancel.re", { type: "cancel", re: "two words" }, "!-~"],
  ["hello.session", { type: "hello", session: "no session, but long enough" }, "A-Za-z0-9_-"],
])("what is wrong with %s is told in words that are true", (path, message, characters) => {
  const decoded = validateClientMessage({ id: "1", timestamp: 1, ...message });
  const detail = "malformed" in decoded ? decoded.malformed.detail : null;
  expect(detail).toContain(`${path}: expected text of `);
  expect(detail).toContain(` characters of [${characters}]`);
});
