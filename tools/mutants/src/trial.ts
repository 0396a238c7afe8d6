/**
 * One trial: seeds, one after another, until the simulator finds something or there are no more.
 * It prints each seed, and at last what was found as a line of JSON. Its process has one mutant in
 * it, or none.
 */
import { simulate } from "@tailwire/simulation";
import type { Finding } from "./finding.ts";

// Refusals are errors, and most are made to be counted: where each was made costs more than it.
Error.stackTraceLimit = 0;

const seedsMax = Number(process.argv[2] ?? 1);
let finding: Finding = { caught: false, seeds: seedsMax, rule: null, detail: null };
for (let seed = 1; seed <= seedsMax; seed += 1) {
  console.log(seed);
  const { violations } = await simulate(seed);
  const [first] = violations;
  if (first === undefined) continue;
  finding = { caught: true, seeds: seed, rule: first.rule, detail: first.detail };
  break;
}
console.log(JSON.stringify(finding));
