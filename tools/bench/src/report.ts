/**
 * The report: the kept results, as parts of `docs/performance.md`. It measures nothing.
 */
import { keptResults, type Result, RESULTS } from "./result.ts";
import { rowsAsTable } from "./tables.ts";

/** One part per kept result, by its name in the document: `bench fanout`. */
export function benchParts(root: string): Readonly<Record<string, () => readonly string[]>> {
  return Object.fromEntries(
    [...keptResults(`${root}/${RESULTS}`)].map(([name, result]) => [
      `bench ${name}`,
      () => [...rowsAsTable(result), "", howMeasured(result)],
    ]),
  );
}

/** The circumstances of the measurement, in a line. */
function howMeasured({ node, rounds, receiver, pinned, noise }: Result): string {
  const cores = pinned ? "a core each for server and load" : "no cores of their own";
  // One server alone has no ratios, and one round has no noise.
  const noisy =
    noise === null || rounds === 1 ? "" : `; ratios ±${Math.round(noise * 100)} % between rounds`;
  return `Node ${node.slice(1)}, ${rounds} rounds, ${cores}; receiver: ${receiver}${noisy}.`;
}
