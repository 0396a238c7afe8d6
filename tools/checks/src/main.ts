/**
 * The repository's own checks, run from its root: `node tools/checks/dist/main.js [--json]`.
 * Prints a line per finding and exits with 1 if there is any.
 */
import { checkAmbient } from "./ambient.ts";
import { checkClauses } from "./clauses.ts";
import { type Finding, inOrder } from "./finding.ts";
import { checkImports } from "./imports.ts";
import { checkLayout } from "./layout.ts";
import { checkLeaks } from "./leaks.ts";
import { checkPackages } from "./packages.ts";
import { checkRanks } from "./ranks.ts";
import { checkRatchet, countsOf, sumOf } from "./ratchet.ts";
import { report } from "./report.ts";
import { readTree, type Tree } from "./tree.ts";

const checks: Readonly<Record<string, (tree: Tree) => Finding[]>> = {
  imports: checkImports,
  ambient: checkAmbient,
  layout: checkLayout,
  leaks: checkLeaks,
  clauses: checkClauses,
  packages: checkPackages,
  ranks: checkRanks,
  ratchet: checkRatchet,
};

const tree = readTree(process.cwd());
const findings = inOrder(Object.values(checks).flatMap((check) => check(tree)));
const { openings, members } = countsOf(tree);
report(
  findings,
  `${Object.keys(checks).join(", ")}: no findings in ${tree.size} files\n` +
    `ratchet: ${sumOf(openings)} comment sentences hide their subject; ` +
    `${Object.keys(members).length} classes are too large, of ${sumOf(members)} members together`,
);
