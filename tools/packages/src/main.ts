/**
 * Tries the packages as `npm pack` makes them, in empty projects: `npm run test:packages`, from the
 * repository's root. `--only WORDS` tries the cases whose names have them; `--install`, as CI=true does,
 * installs runtimes, bundlers and frameworks into a temporary folder, without running their scripts.
 *
 * The last line is `N passed, M failed`, and `, K skipped` where something isn't there.
 */
import { parseArgs } from "node:util";
import type { Case } from "./case.ts";
import { BIN_CASES } from "./cases/bin.ts";
import { BUNDLE_CASES } from "./cases/bundles.ts";
import { DOCUMENT_CASES } from "./cases/documents.ts";
import { RUNTIME_CASES } from "./cases/runtimes.ts";
import { TYPE_CASES } from "./cases/types.ts";
import { Skipped, Stage } from "./stage.ts";

const { values } = parseArgs({
  options: { only: { type: "string", default: "" }, install: { type: "boolean", default: false } },
});

const cases: readonly Case[] = [
  ...RUNTIME_CASES,
  ...BIN_CASES,
  ...TYPE_CASES,
  ...BUNDLE_CASES,
  ...DOCUMENT_CASES,
];

const counts = { passed: 0, failed: 0, skipped: 0 };

/** Tries one, and says how it went. */
async function attempt({ name, run }: Case, stage: Stage): Promise<keyof typeof counts> {
  const began = performance.now();
  try {
    await run(stage);
    console.log(`ok       ${name} (${((performance.now() - began) / 1_000).toFixed(1)} s)`);
    return "passed";
  } catch (error) {
    if (error instanceof Skipped) {
      console.log(`skipped  ${name}: ${error.message}`);
      return "skipped";
    }
    console.log(`FAILED   ${name}\n${error instanceof Error ? error.message : String(error)}`);
    return "failed";
  }
}

const stage = new Stage(process.cwd(), values.install || process.env["CI"] === "true");
try {
  for (const each of cases.filter(({ name }) => name.includes(values.only))) {
    counts[await attempt(each, stage)] += 1;
  }
} finally {
  stage.remove();
}
const { passed, failed, skipped } = counts;
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
