/**
 * Compares the size of a browser's client with the recorded one, so that a change that makes it grow
 * shows that in its own diff. It builds nothing: size.ts does.
 */

/** Bytes that a browser may have to load. A commit that raises it gives the reason. */
export const LIMIT = 12_288;

/** Bytes by which zlib's results differ between versions of Node. */
const TOLERANCE = 16;

/** The file with the recorded size, from the repository's root. */
export const RECORD = "tools/checks/size.json";

export interface SizeVerdict {
  readonly passes: boolean;
  readonly lines: readonly string[];
}

/** Judges a size in bytes. `recorded` is NaN where none is recorded. */
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
