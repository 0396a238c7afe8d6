/**
 * Expectations of the broker contract's cases: comparisons, and results put in plain words.
 *
 * An unexpected result is thrown, as an Error that says what it is. No test framework is needed.
 */
import type { Position } from "@tailwire/protocol";
import type { AppendResult, Publication, ReadResult } from "../../log/broker.ts";

/** The result of an append: `new`, `duplicate`, or the refusal's code. */
export function word(result: AppendResult | undefined): string {
  if (result === undefined) return "nothing";
  if (result.kind === "refused") return result.code;
  return result.duplicate ? "duplicate" : "new";
}

/** Where an append put its entry, which must not have been refused. */
export function positionOf(result: AppendResult): Position {
  if (result.kind === "appended") return result.position;
  throw new Error(`an append was refused with ${result.code}`);
}

/** The publications of a read, which must not be a gap. */
export function publicationsOf(read: ReadResult): readonly Publication[] {
  if (read.kind === "publications") return read.publications;
  throw new Error(`a gap where none is: ${JSON.stringify(read.gap)}`);
}

/** Compares by content; the order of keys doesn't count. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  const [is, shouldBe] = [canonical(actual), canonical(expected)];
  if (is !== shouldBe) throw new Error(`${what} is ${is}, and should be ${shouldBe}`);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Expects that something is so. */
export function holds(condition: boolean, what: string): void {
  if (!condition) throw new Error(`it doesn't hold that ${what}`);
}
