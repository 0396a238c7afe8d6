/**
 * The interface of a bench, and its runner. In each round every server has its turn, and every other
 * round reverses the order, so that no server has the machine's quiet minutes to itself.
 */
import type { ServerName } from "./dialects.ts";
import { median, medians, type Ratio, ratioOf, rounded, type Sample } from "./statistics.ts";

/** The parameters of a measurement. They become columns of its rows. */
type Case = Readonly<Record<string, number | string>>;

export interface Bench<Kind extends Case = Case> {
  /** The figure that servers are compared by. */
  readonly figure: string;
  readonly better: "more" | "less";
  readonly servers: readonly ServerName[];
  /** With `quick` fewer and smaller ones, to test the bench rather than the servers. */
  cases(quick: boolean): readonly Kind[];
  measure(server: ServerName, kind: Kind, quick: boolean): Promise<Sample>;
}

/** The medians of one server in one case. */
export interface Row {
  readonly server: ServerName;
  readonly figures: Readonly<Record<string, number | string>>;
  /** By the other server: how many times better this one is, by the bench's figure. */
  readonly ratioTo: Readonly<Partial<Record<ServerName, Ratio>>>;
}

export interface RunOptions {
  readonly servers: readonly ServerName[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly say: (line: string) => void;
}

/** Runs all cases. A server that fails at a case is left out of it, and `say` gets the reason. */
export async function runBench(bench: Bench, options: RunOptions): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const kind of bench.cases(options.quick)) {
    rows.push(...rowsOf(bench, kind, await samplesOf(bench, kind, options)));
  }
  return rows;
}

async function samplesOf(
  bench: Bench,
  kind: Case,
  { servers, rounds, quick, say }: RunOptions,
): Promise<ReadonlyMap<ServerName, readonly Sample[]>> {
  const asked = servers.filter((server) => bench.servers.includes(server));
  const samples = new Map<ServerName, Sample[]>(asked.map((server) => [server, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const server of round % 2 === 0 ? asked : asked.toReversed()) {
      const known = samples.get(server);
      if (known === undefined) continue;
      try {
        const sample = await bench.measure(server, kind, quick);
        known.push(sample);
        say(`${round + 1}/${rounds} ${server} ${words(kind)}: ${words(sample)}`);
      } catch (error) {
        samples.delete(server);
        say(`${server} is left out of ${words(kind)}: ${String(error)}`);
      }
    }
  }
  return samples;
}

function rowsOf(
  { figure, better }: Bench,
  kind: Case,
  samples: ReadonlyMap<ServerName, readonly Sample[]>,
): readonly Row[] {
  return [...samples].map(([server, own]) => {
    const ratios = [...samples].flatMap(([other, theirs]) => {
      const ratio = other === server ? null : ratioOf(own, theirs, figure, better);
      return ratio === null ? [] : [[other, roundedRatio(ratio)] as const];
    });
    const figures = Object.entries(medians(own)).map(
      ([name, value]) => [name, rounded(value)] as const,
    );
    return {
      server,
      figures: { ...kind, ...Object.fromEntries(figures) },
      ratioTo: Object.fromEntries(ratios),
    };
  });
}

function roundedRatio({ median: middle, least, most }: Ratio): Ratio {
  return { median: rounded(middle), least: rounded(least), most: rounded(most) };
}

function words(fields: Case | Sample): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name} ${typeof value === "number" ? rounded(value) : value}`)
    .join(", ");
}

/**
 * The noise of ratios: half their range over the rounds, as a share of the median; the median of that
 * over all rows. Null without ratios.
 */
export function noiseOf(rows: readonly Row[]): number | null {
  const spreads = rows.flatMap(({ ratioTo }) =>
    Object.values(ratioTo).map(({ median: middle, least, most }) => (most - least) / 2 / middle),
  );
  return spreads.length === 0 ? null : rounded(median(spreads));
}
