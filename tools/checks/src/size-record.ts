/**
 * Compares the size of a browser's packages with the recorded ones, so that a change that makes one grow
 * shows that in its own diff. It builds nothing: size.ts does.
 */

/** Bytes of each package that a browser may have to load. A commit that raises one gives the reason. */
export const LIMITS = { client: 12_288, react: 3_072 } as const;

export type Sized = keyof typeof LIMITS;

/** Bytes by which zlib's results differ between versions of Node. */
const TOLERANCE = 16;

/** The file with the recorded sizes, from the repository's root. */
export const RECORD = "tools/checks/size.json";

export interface SizeVerdict {
  readonly passes: boolean;
  readonly lines: readonly string[];
}

/** Judges a size in bytes. `recorded` is NaN where none is recorded. */
export function judgeSize(name: Sized, bytes: number, recorded: number): SizeVerdict {
  const limit = LIMITS[name];
  const grown = bytes - recorded;
  const since = `(${grown < 0 ? "−" : "+"}${grouped(Math.abs(grown))} since recorded ${grouped(recorded)})`;
  const complaints = [
    ...(bytes > 0 ? [] : [`size of ${name}: nothing was built`]),
    ...(bytes <= limit ? [] : [`size of ${name}: ${grouped(bytes - limit)} bytes over the limit`]),
    ...(Math.abs(grown) <= TOLERANCE
      ? []
      : [
          `size of ${name}: ${RECORD} says ${grouped(recorded)}; \`npm run size\` records ${grouped(bytes)}`,
        ]),
  ];
  return {
    passes: complaints.length === 0,
    lines: [
      `size of ${name}: ${grouped(bytes)} of ${grouped(limit)} bytes ${since}`,
      ...complaints,
    ],
  };
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
