/**
 * The report: what is kept of each bench, as the parts of `docs/performance.md`. It measures nothing.
 */
import { keptResults, type Result, RESULTS } from "./result.ts";
import { rowsAsTable } from "./tables.ts";

/** A part per result that is kept, by its name in the document: `bench fanout`. */
export function benchParts(root: string): Readonly<Record<string, () => readonly string[]>> {
  return Object.fromEntries(
    [...keptResults(`${root}/${RESULTS}`)].map(([name, result]) => [
      `bench ${name}`,
      () => [...rowsAsTable(result), "", howMeasured(result)],
    ]),
  );
}

/** Under what circumstances, for whoever judges the numbers. */
function howMeasured({ node, rounds, receiver, pinned, noise }: Result): string {
  const cores = pinned ? "a core each for server and load" : "no cores of their own";
  // Of one server alone there is no ratio, and of one round no noise.
  const noisy =
    noise === null || rounds === 1 ? "" : `; ratios ±${Math.round(noise * 100)} % between rounds`;
  return `Node ${node.slice(1)}, ${rounds} rounds, ${cores}; receiver: ${receiver}${noisy}.`;
}
