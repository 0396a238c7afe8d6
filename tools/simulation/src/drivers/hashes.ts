/** Runs seeds, from 1 to as many as it is told, and prints the hash of each on a line of its own. */
import { simulate } from "./simulate.ts";

// As in workers: where a refusal was made costs more than it, and changes no hash.
Error.stackTraceLimit = 0;

process.on("unhandledRejection", () => undefined);

const count = Number(process.argv[2] ?? 1);
for (let seed = 1; seed <= count; seed += 1) {
  const { hash } = await simulate(seed);
  console.log(`${seed} ${hash}`);
}
