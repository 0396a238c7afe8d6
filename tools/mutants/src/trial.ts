/**
 * One trial: seeds, one after another, until the simulator finds something or there are no more: hinted
 * ones, then from 1 on. It prints each seed, and at last what was found as a line of JSON. Its process has one mutant in
 * it, or none.
 */
import { simulate } from "@tailwire/simulation";
import type { Finding } from "./finding.ts";

// Refusals are errors, and most are made to be counted: where each was made costs more than it.
Error.stackTraceLimit = 0;

const [count = 1, ...hints] = process.argv.slice(2).map(Number);
const others = Array.from({ length: count }, (_, index) => index + 1);
const seeds = [...new Set([...hints, ...others])];
let finding: Finding = { caught: false, seed: null, seeds: seeds.length, rule: null, detail: null };
for (const [index, seed] of seeds.entries()) {
  console.log(seed);
  const { violations } = await simulate(seed);
  const [first] = violations;
  if (first === undefined) continue;
  finding = { caught: true, seed, seeds: index + 1, rule: first.rule, detail: first.detail };
  break;
}
console.log(JSON.stringify(finding));
