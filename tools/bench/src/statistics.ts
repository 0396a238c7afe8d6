/** Statistics of rounds: medians, and how one server compares with another within each round. */

/** The figures of one measurement, by name. */
export type Sample = Readonly<Record<string, number>>;

/** A ratio of two servers: the median over rounds, and the extremes. */
export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** The median; of an even number the mean of the middle two, of none NaN. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** The median of each figure, over the rounds that have it. */
export function medians(samples: readonly Sample[]): Sample {
  const names = new Set(samples.flatMap((sample) => Object.keys(sample)));
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      median(samples.flatMap((sample) => (sample[name] === undefined ? [] : [sample[name]]))),
    ]),
  );
}

/**
 * How many times better one server is than the other. Ratios are taken within a round, since a machine's
 * speed changes from minute to minute. Null without a common round.
 */
export function ratioOf(
  own: readonly Sample[],
  others: readonly Sample[],
  figure: string,
  better: "more" | "less",
): Ratio | null {
  const ratios = own.flatMap((sample, round) => {
    const [mine, theirs] = [sample[figure], others[round]?.[figure]];
    if (mine === undefined || theirs === undefined || mine === 0 || theirs === 0) return [];
    return [better === "more" ? mine / theirs : theirs / mine];
  });
  if (ratios.length === 0) return null;
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

/** Rounds to four digits, more than the noise leaves. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
