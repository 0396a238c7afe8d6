/** JsonText: what is a JSON value, what isn't, and how deep one may nest. */
import { depthExceeds, JsonText, PROTOCOL_LIMITS, TailwireError } from "@tailwire/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { data } from "./arbitraries.ts";

const nested = (levels: number): unknown =>
  Array.from({ length: levels }).reduce((inner: unknown) => [inner], 0);
const nestedObjects = (levels: number): unknown =>
  Array.from({ length: levels }).reduce((inner: unknown) => ({ inner }), 0);

/** The code that a call is refused with; null when it isn't. */
function codeOf(value: unknown): string | null {
  try {
    JsonText.of(value);
    return null;
  } catch (error) {
    if (error instanceof TailwireError) return error.code;
    throw error;
  }
}

test("any JSON value comes out of its text as it went in", () => {
  fc.assert(
    fc.property(data, (value) => {
      const json = JsonText.of(value);
      expect(json.text).toBe(JSON.stringify(value));
      expect(json.parse()).toEqual(value);
      expect(JsonText.of(json.parse()).text).toBe(json.text);
    }),
    { numRuns: 1_000 },
  );
});

describe("what JSON has no word for is refused with invalid_data", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const proxy = { toJSON: () => proxy };
  test.each([
    ["undefined", undefined],
    ["a function", () => 1],
    ["a symbol", Symbol("x")],
    ["a bigint", 1n],
    ["a bigint within", { a: [1n] }],
    ["a cycle", cycle],
    ["a toJSON that gives undefined", { toJSON: () => undefined }],
    [
      "a toJSON that throws",
      {
        toJSON: () => {
          throw new Error("no");
        },
      },
    ],
    [
      "a toJSON that throws no error",
      {
        toJSON: () => {
          // oxlint-disable-next-line typescript/only-throw-error -- applications do
          throw "no";
        },
      },
    ],
    [
      "a toJSON that throws what can't be made text",
      {
        toJSON: () => {
          throw Object.create(null);
        },
      },
    ],
    [
      "a toJSON that throws what throws when it is made text",
      {
        toJSON: () => {
          // oxlint-disable-next-line typescript/only-throw-error -- applications do
          throw { toString: 1, valueOf: 1 };
        },
      },
    ],
    [
      "a getter that throws",
      {
        get a() {
          throw new Error("no");
        },
      },
    ],
    ["nesting that no stack holds", nested(100_000)],
    ["65 lists", nested(65)],
    ["65 objects", nestedObjects(65)],
    ["65 levels beside much else", [{ long: "x".repeat(1_000) }, nested(64)]],
  ])("%s", (_, value) => {
    expect(codeOf(value)).toBe("invalid_data");
  });
});

test("[ENC-4] 64 levels are data, and so is any number of brackets in text", () => {
  expect(codeOf(nested(64))).toBe(null);
  expect(codeOf(nestedObjects(64))).toBe(null);
  expect(codeOf("[{".repeat(1_000))).toBe(null);
  expect(codeOf({ '[{"\\': ['"]}\\"'.repeat(1_000)] })).toBe(null);
  expect(codeOf(Array.from({ length: 1_000 }, () => nested(60)))).toBe(null);
});

/** The depth of a value, found the slow way. */
function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe("depthExceeds", () => {
  test("agrees with the depth of the value that the text stands for", () => {
    const bracketed = fc.string({ unit: fc.constantFrom(...Array.from('[]{}"\\,:a😀')) });
    const tree = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { depthSize: "medium" },
        bracketed,
        fc.constant(null),
        fc.array(tie("node"), { maxLength: 3 }),
        fc.dictionary(bracketed, tie("node"), { maxKeys: 3 }),
      ),
    })).node;
    fc.assert(
      fc.property(tree, fc.nat({ max: 8 }), fc.constantFrom(undefined, 1), (value, max, space) => {
        const text = JSON.stringify(value, null, space);
        expect(depthExceeds(text, max)).toBe(depthOf(value) > max);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ["[]", 0, true],
    ["[]", 1, false],
    ["[[]]", 1, true],
    ["[[],[]]", 2, false],
    ["[][][]", 1, false],
    ['"[["', 0, false],
    [String.raw`"\"[["`, 0, false],
    [String.raw`["\\",[]]`, 1, true],
    [String.raw`["\\\"[",1]`, 1, false],
    ['{"[[[":{}}', 1, true],
    ["1234567", 0, false],
  ])("%s at %i: %s", (text, max, exceeds) => {
    expect(depthExceeds(text, max)).toBe(exceeds);
  });

  test("reads text that isn't JSON, and stops at its end", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...Array.from('[]{}"\\a')) }),
        fc.nat(),
        (text, max) => {
          expect(typeof depthExceeds(text, max)).toBe("boolean");
        },
      ),
    );
    expect(depthExceeds(`"${"\\".repeat(1_001)}`, 3)).toBe(false);
    expect(depthExceeds("]".repeat(1_000) + "[".repeat(1_000), PROTOCOL_LIMITS.depthMax)).toBe(
      false,
    );
  });
});
