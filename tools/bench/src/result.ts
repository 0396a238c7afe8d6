/** A bench's result, as `--json` prints it and `results/` keeps it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { noiseOf, type Row } from "./bench.ts";

/** One line of a result. Figures that don't apply are left out. */
export interface ResultRow {
  readonly server: string;
  /** By the other server: how many times better this one is, as the median over rounds. */
  readonly ratioTo: Readonly<Record<string, number>>;
  /** The same ratio in the worst and in the best round. */
  readonly ratioRange: Readonly<Record<string, readonly [number, number]>>;
  readonly [figure: string]: unknown;
}

export interface Result {
  readonly bench: string;
  readonly node: string;
  readonly rounds: number;
  readonly receiver: string;
  /** Whether servers and load had a core each. */
  readonly pinned: boolean;
  /** The noise of ratios, as a share: see `noiseOf`. Null without ratios. */
  readonly noise: number | null;
  readonly rows: readonly ResultRow[];
}

/** The folder of the results that documents show. */
export const RESULTS = "tools/bench/results";

export function resultOf(
  about: Omit<Result, "rows" | "noise" | "node">,
  rows: readonly Row[],
): Result {
  return {
    ...about,
    node: process.version,
    noise: noiseOf(rows),
    rows: rows.map(({ server, figures, ratioTo }) => ({
      server,
      ...figures,
      ratioTo: Object.fromEntries(
        Object.entries(ratioTo).map(([other, ratio]) => [other, ratio.median]),
      ),
      ratioRange: Object.fromEntries(
        Object.entries(ratioTo).map(([other, { least, most }]) => [other, [least, most] as const]),
      ),
    })),
  };
}

export function keep(result: Result): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(`${RESULTS}/${result.bench}.json`, `${JSON.stringify(result, null, 2)}\n`);
}

/** All kept results, by the bench's name. */
export function keptResults(folder: string): ReadonlyMap<string, Result> {
  if (!existsSync(folder)) return new Map();
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return new Map(
    files.toSorted().map((name) => {
      const result = JSON.parse(readFileSync(`${folder}/${name}`, "utf8")) as Result;
      return [result.bench, result];
    }),
  );
}
