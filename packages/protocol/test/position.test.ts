/** The chain of offsets: what a publication means for a subscriber at a position. */
import { chain } from "@tailwire/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

/** The offsets of a log, in order. */
const anyLog = fc
  .integer({ min: 1, max: 30 })
  .map((length) => Array.from({ length }, (_, index) => index + 1));

describe("[DEL-2] the chain of offsets", () => {
  test.each([
    [0, 1, "next"],
    [5, 6, "next"],
    [5, 5, "seen"],
    [5, 4, "seen"],
    [5, 7, "broken"],
    [5, 99, "broken"],
    [Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER, "next"],
  ])("at %i, %i is %s", (at, offset, link) => {
    expect(chain(at, offset)).toBe(link);
  });

  test("delivers a log in order, once and whole, when it comes in order", () => {
    fc.assert(
      fc.property(anyLog, fc.nat(), (log, start) => {
        const from = start % (log.length + 1);
        let at = from;
        const delivered: number[] = [];
        for (const offset of log) {
          const link = chain(at, offset);
          expect(link).not.toBe("broken");
          if (link !== "next") continue;
          delivered.push(offset);
          at = offset;
        }
        expect(delivered).toEqual(log.slice(from));
      }),
    );
  });

  test("never passes over a publication, however they come", () => {
    fc.assert(
      fc.property(anyLog, fc.array(fc.nat(), { maxLength: 100 }), (log, picks) => {
        let at = 0;
        const delivered: number[] = [];
        for (const pick of picks) {
          const offset = log[pick % log.length] as number;
          if (chain(at, offset) !== "next") continue;
          delivered.push(offset);
          at = offset;
        }
        expect(delivered).toEqual(log.slice(0, delivered.length));
      }),
    );
  });
});
