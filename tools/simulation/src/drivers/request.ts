/** The simulator's command line, parsed. It starts nothing. */
import { parseArgs } from "node:util";
import { STEPS } from "../run/regime.ts";

export interface SimulationRequest {
  /** One seed to replay; null: many. */
  readonly seed: number | null;
  /** Fresh seeds, from this one on. */
  readonly from: number;
  readonly count: number;
  /** Seeds that are begun however long they take. */
  readonly atLeast: number;
  /** Until when more than those are begun, in Unix milliseconds. */
  readonly until: number;
  /** Seeds that follow from the salt, whose findings are kept and fail nothing. */
  readonly changing: number;
  /** The name of what is tried; null: the commit's. */
  readonly salt: string | null;
  readonly steps: number;
  readonly trace: boolean;
  readonly json: boolean;
  /** Whether to tell which lines of the cores no seed runs. */
  readonly coverage: boolean;
  /** The share of the cores' lines that has to be run, in percent. */
  readonly below: number;
}

/** Seeds where nothing is said of how many. */
const SEEDS = 100;

/** Seeds that are run by time at least: of fewer a slow machine would say nothing. */
const AT_LEAST = 800;

export const USAGE = `npm run sim -- --seed S [--trace] | --seeds N | --minutes M [--at-least N] | --changing N

  --seeds N     so many fresh seeds (${SEEDS} where nothing is said)
  --minutes M   fresh seeds until so many minutes have passed
  --at-least N  however long they take, so many (${AT_LEAST})
  --from F      the first of the fresh seeds (by chance)
  --changing N  N seeds that follow from the commit, beside the others or alone: what they find
                is kept in .tmp/sim-findings.txt, and fails nothing
  --salt TEXT   what those follow from in the commit's place
  --coverage    which lines of the cores no seed has run
  --below P     with --coverage: exit 1 where less than P % of the lines were run
  --steps N     steps per seed (${STEPS})
  --json        one line of JSON and nothing else on stdout`;

const OPTIONS = {
  seed: { type: "string" },
  seeds: { type: "string" },
  from: { type: "string" },
  minutes: { type: "string" },
  "at-least": { type: "string" },
  changing: { type: "string" },
  salt: { type: "string" },
  below: { type: "string" },
  steps: { type: "string" },
  coverage: { type: "boolean", default: false },
  trace: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

/** Options that say nothing without another one. */
const COMPANIONS = [
  ["at-least", "minutes"],
  ["salt", "changing"],
  ["below", "coverage"],
] as const;

/** @throws Error when it can't be understood. */
export function requestOf(args: readonly string[], now: number, fresh: number): SimulationRequest {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  for (const [option, other] of COMPANIONS) {
    if (values[option] === undefined) continue;
    if (values[other] !== undefined && values[other] !== false) continue;
    throw new Error(`--${option} says nothing without --${other}`);
  }
  const { seed, seeds, minutes, changing, salt = null, trace, json, coverage } = values;
  const byTime = minutes !== undefined;
  const byCount = seeds ?? (changing === undefined ? String(SEEDS) : "0");
  return {
    seed: seed === undefined ? null : numberOf("seed", seed),
    from: numberOf("from", values.from ?? String(fresh)),
    count: seeds === undefined && byTime ? Infinity : numberOf("seeds", byCount, 0),
    atLeast: byTime ? numberOf("at-least", values["at-least"] ?? String(AT_LEAST), 0) : Infinity,
    until: byTime ? now + numberOf("minutes", minutes) * 60_000 : Infinity,
    changing: numberOf("changing", changing ?? "0", 0),
    salt,
    steps: numberOf("steps", values.steps ?? String(STEPS)),
    trace,
    json,
    coverage,
    below: numberOf("below", values.below ?? "0", 0),
  };
}

/** @throws Error where it isn't a number, or not above the least that there may be. */
function numberOf(name: string, text: string, least = Number.MIN_VALUE): number {
  const number = Number(text);
  if (text.trim() !== "" && number >= least && number < Infinity) return number;
  throw new Error(`--${name} ${text}: expected a number ${least === 0 ? "from 0 on" : "above 0"}`);
}
