/**
 * Coverage: which lines of a source were run, from what V8 says of the script that was built from it.
 * It knows text and source maps, and neither files nor how seeds are run.
 */

/** The part of V8's answer that is used; later ranges lie within earlier ones, or apart. */
export interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

/** The part of `SourceMap` of `node:module` that is used. */
export interface LineMap {
  findEntry(
    line: number,
    column: number,
  ): { readonly generatedLine: number; readonly originalLine: number } | object;
}

/** Lines of one source, counted from 1. */
export interface FileCoverage {
  readonly file: string;
  /** Lines that hold code. */
  readonly lines: number;
  /** Runs of those that nobody has run, both ends included; what lies between them holds no code. */
  readonly missed: readonly (readonly [from: number, to: number])[];
  /** Lines in these runs that hold code. */
  readonly missedLines: number;
}

/** Each character of a script: whether it was run by any of the workers that loaded it. */
export function charactersRun(
  length: number,
  loads: readonly Pick<ScriptCoverage, "functions">[],
): Uint8Array {
  const run = new Uint8Array(length);
  for (const { functions } of loads) {
    const once = new Uint8Array(length);
    for (const { ranges } of functions) {
      for (const { startOffset, endOffset, count } of ranges) {
        once.fill(Math.min(count, 1), startOffset, endOffset);
      }
    }
    for (let index = 0; index < length; index += 1) run[index] = Number(run[index] || once[index]);
  }
  return run;
}

/** A line that holds comments, or nothing but what ends something. */
const NO_CODE = /^\s*(?:\/\/|\/\*|\*|[\])}>;,\s]*$)/;

/**
 * The lines of a source. A line counts where the script has code that comes from it, and was run
 * where any of that was.
 */
export function coverageOf(
  file: string,
  source: string,
  script: string,
  map: LineMap,
  run: Uint8Array,
): FileCoverage {
  const texts = source.split("\n");
  const lines = new Map<number, boolean>();
  let line = 0;
  let lineStart = 0;
  for (let index = 0; index < script.length; index += 1) {
    if (script[index] === "\n") {
      line += 1;
      lineStart = index + 1;
      continue;
    }
    if (script[index] === " ") continue;
    const entry = map.findEntry(line, index - lineStart);
    if (!("originalLine" in entry) || entry.generatedLine !== line) continue;
    const original = entry.originalLine + 1;
    if (NO_CODE.test(texts[entry.originalLine] ?? "")) continue;
    lines.set(original, run[index] === 1 || lines.get(original) === true);
  }
  return { file, lines: lines.size, ...missedOf(lines) };
}

function missedOf(
  lines: ReadonlyMap<number, boolean>,
): Pick<FileCoverage, "missed" | "missedLines"> {
  const missed: [from: number, to: number][] = [];
  let missedLines = 0;
  let last: [from: number, to: number] | null = null;
  for (const [line, wasRun] of [...lines].toSorted(([one], [other]) => one - other)) {
    if (wasRun) {
      last = null;
      continue;
    }
    missedLines += 1;
    if (last === null) missed.push((last = [line, line]));
    else last[1] = line;
  }
  return { missed, missedLines };
}

/** The share of lines that were run, in percent, rounded down to a hundredth. */
export function shareOf(files: readonly FileCoverage[]): number {
  const sum = (of: (file: FileCoverage) => number): number =>
    files.reduce((total, file) => total + of(file), 0);
  const lines = sum((file) => file.lines);
  const missed = sum(({ missedLines }) => missedLines);
  return lines === 0 ? 100 : Math.floor(((lines - missed) / lines) * 10_000) / 100;
}

/** A line per file in which something wasn't run, and one with the share of all. */
export function coverageText(files: readonly FileCoverage[]): string {
  const told = files
    .filter(({ missed }) => missed.length > 0)
    .map((file) => {
      const spans = file.missed.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
      return `${file.file}  ${shareOf([file])} %, not ${spans.join(" ")}`;
    });
  const lines = files.reduce((total, file) => total + file.lines, 0);
  return [...told, `${shareOf(files)} % of the cores' ${lines} lines were run`].join("\n");
}
