/**
 * Seeds that change with each commit, so that many commits try many seeds; the same commit tries the
 * same. They follow from its name. Their findings are written down, and fail nothing.
 */
import { createHash } from "node:crypto";
import type { Violation } from "../checker/violation.ts";

/** Seeds are above 0 and below this. */
const SEEDS_END = 2 ** 31;

/** So many seeds that follow from a salt. */
export function changingSeeds(salt: string, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => {
    const digest = createHash("sha256").update(`${salt} ${index}`).digest();
    return 1 + (digest.readUInt32BE() % (SEEDS_END - 1));
  });
}

/** A finding, and the command that shows it again, on a line. */
export function findingLine(
  { seed, steps, violations }: { seed: number; steps: number; violations: readonly Violation[] },
  commit: string,
): string {
  const [first] = violations;
  const again = `npm run sim -- --seed ${seed} --steps ${steps}`;
  return `${first?.rule} at commit ${commit}: ${again} | ${first?.detail.split("\n")[0]}`;
}
