/**
 * Records the ratchet's counts: `node tools/checks/dist/record-ratchet.js`, from the repository's root.
 *
 * A file that was moved or parted takes its count along, so files may trade, and the sums may only fall.
 */
import { writeFileSync } from "node:fs";
import { type Counts, countsOf, RATCHET_FILE, recordIn, sumOf } from "./ratchet.ts";
import { readTree } from "./tree.ts";

const tree = readTree(process.cwd());
const [before, now] = [recordIn(tree), countsOf(tree)];
const isFirst = !tree.has(RATCHET_FILE);
const risen = (["openings", "members"] as const).filter(
  (name: keyof Counts) => sumOf(now[name]) > sumOf(before[name]),
);
if (risen.length > 0 && !isFirst) {
  for (const name of risen) {
    console.error(
      `${name}: ${sumOf(now[name])} now, ${sumOf(before[name])} recorded: they may only fall`,
    );
  }
  process.exitCode = 1;
} else {
  writeFileSync(RATCHET_FILE, `${JSON.stringify(now, null, 2)}\n`);
  console.log(`openings: ${sumOf(now.openings)}; members of large classes: ${sumOf(now.members)}`);
}
