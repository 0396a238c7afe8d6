/**
 * The simulator's command: replays one seed, or runs many on all cores, with every seed that ever
 * failed, and judges them. Exit 0 when no promise was broken and nothing rare was left unseen.
 */
import { randomInt } from "node:crypto";
import { runMany } from "./many.ts";
import { requestOf, type SimulationRequest, USAGE } from "./request.ts";
import { commitOf, say, show } from "./show.ts";
import { simulate } from "./simulate.ts";

process.on("unhandledRejection", () => undefined);

async function main(): Promise<boolean> {
  const request = requestOf(process.argv.slice(2), Date.now(), randomInt(1, 2 ** 31));
  if (request.seed !== null) return replay(request, request.seed);
  return runMany(request, commitOf());
}

async function replay({ steps, trace, json }: SimulationRequest, seed: number): Promise<boolean> {
  const outcome = await simulate(seed, { steps });
  const again = await simulate(seed, { steps });
  if (trace) for (const event of outcome.history) console.log(JSON.stringify(event));
  const same = again.hash === outcome.hash;
  if (!same) say(`R28: ${outcome.hash} the first time, ${again.hash} the second`);
  if (outcome.violations.length > 0) await show(outcome);
  if (json)
    console.log(JSON.stringify({ seed, hash: outcome.hash, violations: outcome.violations }));
  else console.log(`seed ${seed}: ${outcome.violations.length} violations, hash ${outcome.hash}`);
  return same && outcome.violations.length === 0;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  say(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 2;
}
