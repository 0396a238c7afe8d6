// Which lines were run, from ranges of a script and the map to its source.
import { SourceMap } from "node:module";
import { expect, test } from "vitest";
import {
  charactersRun,
  coverageOf,
  coverageText,
  type FileCoverage,
  shareOf,
} from "../src/drivers/coverage.ts";

const SOURCE = `/** Says which. */
export function which(
  flag: boolean,
): string {
  if (flag) {
    // Never.
    return "yes";
  }
  return "no";
}
export const other = () => 1;
`;

const SCRIPT = `export function which(flag) {
    if (flag) {
        return "yes";
    }
    return "no";
}
export const other = () => 1;
`;

/** The map of a script, a line of the source for each of its lines. */
const MAP = new SourceMap({
  version: 3,
  file: "which.js",
  sources: ["which.ts"],
  sourcesContent: [SOURCE],
  names: [],
  sourceRoot: "",
  // Lines 2, 5, 7, 8, 9, 10 and 11 of the source, each from its first column.
  mappings: "AACA;AAGA;AAEA;AACA;AACA;AACA;AACA",
});

interface Span {
  readonly text: string;
  readonly count: number;
}

/** A load of the script, of one function whose ranges are where these texts stand. */
function loadOf(...spans: readonly Span[]): { functions: { ranges: Range[] }[] } {
  const ranges = spans.map(({ text, count }) => {
    const startOffset = SCRIPT.indexOf(text);
    return { startOffset, endOffset: startOffset + text.length, count };
  });
  return { functions: [{ ranges }] };
}

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

const ALL = { text: SCRIPT, count: 1 };
const BRANCH = { text: `{\n        return "yes";\n    }`, count: 0 };
const OTHER = { text: "() => 1", count: 0 };

function coverageBy(...loads: Parameters<typeof charactersRun>[1]): FileCoverage {
  return coverageOf("which.ts", SOURCE, SCRIPT, MAP, charactersRun(SCRIPT.length, loads));
}

test("a line of a block that wasn't run is missed, and what only ends something doesn't count", () => {
  const { lines, missed, missedLines } = coverageBy(loadOf(ALL, BRANCH));
  expect({ lines, missed, missedLines }).toEqual({ lines: 5, missed: [[7, 7]], missedLines: 1 });
});

test("a line counts as run where any of its code was", () => {
  expect(coverageBy(loadOf(ALL, BRANCH, OTHER)).missed).toEqual([[7, 7]]);
});

test("workers' coverage is joined: what one of them has run was run", () => {
  const loads = [loadOf(ALL, BRANCH), loadOf(ALL)];
  expect(coverageBy(...loads).missed).toEqual([]);
  expect(coverageBy(...loads.toReversed()).missed).toEqual([]);
});

test("of a file that nobody has loaded every line is missed, in one run of lines", () => {
  const { missed, missedLines } = coverageBy();
  expect({ missed, missedLines }).toEqual({ missed: [[2, 11]], missedLines: 5 });
});

test("a share is of all files' lines, rounded down", () => {
  const half = { file: "a.ts", lines: 2, missed: [[1, 1]] as const, missedLines: 1 };
  const whole = { file: "b.ts", lines: 1, missed: [], missedLines: 0 };
  expect(shareOf([half, whole])).toBe(66.66);
  expect(shareOf([])).toBe(100);
  expect(coverageText([half, whole])).toBe(
    "a.ts  50 %, not 1\n66.66 % of the cores' 3 lines were run",
  );
});
