/** What the command line asks of the simulator. */
import { parseArgs } from "node:util";
import { STEPS } from "../run/regime.ts";

export interface SimulationRequest {
  /** One seed to replay; null: many. */
  readonly seed: number | null;
  /** Fresh seeds, from this one on. */
  readonly from: number;
  readonly count: number;
  /** Until when seeds are begun, in Unix milliseconds. */
  readonly until: number;
  readonly steps: number;
  readonly trace: boolean;
  readonly json: boolean;
}

export const USAGE = `npm run sim -- --seed S [--trace] | --seeds N [--from F] | --minutes M
  --steps N   steps per seed (${STEPS})
  --json      one line of JSON and nothing else on stdout`;

/** @throws Error when it can't be understood. */
export function requestOf(args: readonly string[], now: number, fresh: number): SimulationRequest {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string" },
      seeds: { type: "string" },
      from: { type: "string" },
      minutes: { type: "string" },
      steps: { type: "string" },
      trace: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const { seed, seeds, from, minutes, steps, trace, json } = values;
  const until = minutes === undefined ? Infinity : now + numberOf("minutes", minutes) * 60_000;
  const many = minutes === undefined ? "100" : "1000000";
  return {
    seed: seed === undefined ? null : numberOf("seed", seed),
    from: from === undefined ? fresh : numberOf("from", from),
    count: numberOf("seeds", seeds ?? many),
    until,
    steps: steps === undefined ? STEPS : numberOf("steps", steps),
    trace,
    json,
  };
}

function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`--${name} ${text}: expected a number above 0`);
  return number;
}
