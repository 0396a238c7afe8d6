/**
 * What a browser has to load, compared with what was recorded of it, so that a change that makes it
 * grow says so in its own diff. It builds nothing: size.ts does.
 */

/** What a browser may have to load, in bytes. Raising it is a decision, with its reason in the commit. */
export const LIMIT = 12_288;

/** zlib differs by a few bytes from one Node to the next. */
const TOLERANCE = 16;

/** The file that has the recorded size, from the repository's root. */
export const RECORD = "tools/checks/size.json";

export interface SizeVerdict {
  readonly passes: boolean;
  readonly lines: readonly string[];
}

/** Judges a size in bytes; `recorded` is NaN where nothing is. */
export function judgeSize(bytes: number, recorded: number): SizeVerdict {
  const grown = bytes - recorded;
  const since = `(${grown < 0 ? "−" : "+"}${grouped(Math.abs(grown))} since recorded ${grouped(recorded)})`;
  const complaints = [
    ...(bytes > 0 ? [] : ["size: nothing was built"]),
    ...(bytes <= LIMIT ? [] : [`size: ${grouped(bytes - LIMIT)} bytes over the limit`]),
    ...(Math.abs(grown) <= TOLERANCE
      ? []
      : [`size: ${RECORD} says ${grouped(recorded)}; \`npm run size\` records ${grouped(bytes)}`]),
  ];
  return {
    passes: complaints.length === 0,
    lines: [`size: ${grouped(bytes)} of ${grouped(LIMIT)} bytes ${since}`, ...complaints],
  };
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
