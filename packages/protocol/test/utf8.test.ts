/** UTF-8 lengths and cuts, held against the platform's encoder. */
import { utf8Length, utf8Truncate } from "@tailwire/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";

const encoder = new TextEncoder();
/** Any UTF-16 units, lone surrogates included. */
const anyText = fc
  .array(
    fc.oneof(
      fc.nat({ max: 0xffff }),
      fc.integer({ min: 0xd7fe, max: 0xe001 }),
      fc.nat({ max: 0x801 }),
    ),
    {
      maxLength: 60,
    },
  )
  .map((units) => String.fromCharCode(...units));

test("utf8Length is the length that TextEncoder makes", () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.string({ unit: "binary" })), (text) => {
      expect(utf8Length(text)).toBe(encoder.encode(text).length);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["", 0],
  ["\u007f", 1],
  ["\u0080", 2],
  ["\u07ff", 2],
  ["\u0800", 3],
  ["\uffff", 3],
  ["\u{10000}", 4],
  ["\u{10ffff}", 4],
  ["\ud800", 3],
  ["\udc00", 3],
  ["\ud800\ud800\udc00", 7],
  ["\udc00\ud800", 6],
  ["\udc00\udc00", 6],
  ["\ud800\ue000", 6],
  ["\udbff\udfff", 4],
])("utf8Length(%j) is %i", (text, bytes) => {
  expect(utf8Length(text)).toBe(bytes);
});

test("utf8Truncate keeps as many whole characters as fit", () => {
  fc.assert(
    fc.property(anyText, fc.nat({ max: 200 }), (text, max) => {
      const cut = utf8Truncate(text, max);
      expect(text.startsWith(cut)).toBe(true);
      expect(utf8Length(cut)).toBeLessThanOrEqual(max);
      // One character more, if there is one, is too much.
      const next = text.slice(cut.length).match(/^[^]/u)?.[0] ?? "x".repeat(max + 1);
      expect(utf8Length(cut + next)).toBeGreaterThan(max);
    }),
    { numRuns: 2_000 },
  );
});

test("utf8Truncate never cuts a pair in two", () => {
  expect(utf8Truncate("a😀b", 4)).toBe("a");
  expect(utf8Truncate("a😀b", 5)).toBe("a😀");
  expect(utf8Truncate("a😀b", 6)).toBe("a😀b");
  expect(utf8Truncate("é", 1)).toBe("");
  expect(utf8Truncate("abc", 0)).toBe("");
});
