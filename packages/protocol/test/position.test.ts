/** The chain of offsets: what a publication means for a subscriber at a position. */
import { chain } from "@tailwire/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

/** A log whose offsets may have holes, as some brokers make them. */
const anyLog = fc
  .array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 30 })
  .map((steps) => {
    let offset = 0;
    return steps.map((step) => {
      const prev = offset;
      offset += step;
      return step === 1 ? { offset } : { offset, prev };
    });
  });

describe("[DEL-2] the chain of offsets", () => {
  test.each([
    [0, { offset: 1 }, "next"],
    [5, { offset: 6 }, "next"],
    [5, { offset: 5 }, "seen"],
    [5, { offset: 4 }, "seen"],
    [5, { offset: 7 }, "broken"],
    [5, { offset: 7, prev: 5 }, "next"],
    [5, { offset: 7, prev: 4 }, "next"],
    [5, { offset: 7, prev: 6 }, "broken"],
    [5, { offset: 5, prev: 1 }, "seen"],
    [0, { offset: 9, prev: 0 }, "next"],
    [0, { offset: 9, prev: undefined }, "broken"],
    [Number.MAX_SAFE_INTEGER - 1, { offset: Number.MAX_SAFE_INTEGER }, "next"],
  ])("at %i, %o is %s", (offset, publication, link) => {
    expect(chain(offset, publication)).toBe(link);
  });

  test("delivers a log in order, once and whole, when it comes in order", () => {
    fc.assert(
      fc.property(anyLog, fc.nat(), (log, start) => {
        const last = log.at(-1)?.offset ?? 0;
        const from = start % (last + 1);
        let at = from;
        const delivered: number[] = [];
        for (const publication of log) {
          const link = chain(at, publication);
          expect(link).not.toBe("broken");
          if (link !== "next") continue;
          delivered.push(publication.offset);
          at = publication.offset;
        }
        expect(delivered).toEqual(
          log.map(({ offset }) => offset).filter((offset) => offset > from),
        );
      }),
    );
  });

  test("never passes over a publication, however they come", () => {
    fc.assert(
      fc.property(anyLog, fc.array(fc.nat(), { maxLength: 100 }), (log, picks) => {
        let at = 0;
        const delivered: number[] = [];
        for (const pick of picks) {
          const publication = log[pick % log.length] as { offset: number };
          if (chain(at, publication) !== "next") continue;
          delivered.push(publication.offset);
          at = publication.offset;
        }
        expect(delivered).toEqual(log.map(({ offset }) => offset).slice(0, delivered.length));
      }),
    );
  });
});
