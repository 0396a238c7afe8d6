/** The table of attacks: each row is one, in the order in which they are shown. */
import type { Row } from "./row.ts";
import { FLOODS } from "./rows/floods.ts";
import { NEWCOMERS } from "./rows/newcomers.ts";

export const TABLE: readonly Row[] = [...FLOODS, ...NEWCOMERS].toSorted((one, other) =>
  one.id.localeCompare(other.id, "en", { numeric: true }),
);

/** The rows that are asked for: a group's letter, a number's rows, or one of them. */
export function rowsOf(asked: readonly string[]): readonly Row[] {
  return TABLE.filter(({ id }) =>
    asked.some(
      (one) =>
        id === one || id.startsWith(`${one}-`) || (/^[A-Z]$/.test(one) && id.startsWith(one)),
    ),
  );
}
