/**
 * A trial of unit tests, until the first that fails. It prints each file of tests, and at last what was
 * found as a line of JSON.
 *
 * Tests run on the sources. A mutant's source is replaced by what was built from it, with the mutant in it.
 */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { type Reporter, startVitest, type TestModule } from "vitest/node";
import { apply } from "./apply.ts";
import type { UnitFinding } from "./finding.ts";
import { type Mutant, sourceOf } from "./mutant.ts";
import { MUTANTS } from "./mutants.ts";
import type { Tests } from "./trials.ts";

interface Asked {
  readonly root: string;
  readonly tests: Tests;
  readonly mutant: string | null;
}

/** How often a test may fail, and count as passed when it does then: some depend on a quiet machine. */
const RETRIES = 2;

const { root, tests, mutant } = JSON.parse(process.argv[2] ?? "") as Asked;
let finding: UnitFinding = { caught: false, file: null, test: null, detail: null };

const reporter: Reporter = {
  onTestModuleEnd(module) {
    console.log(module.moduleId);
    if (!finding.caught && module.state() === "failed") {
      finding = { caught: true, ...failureOf(module) };
    }
  },
  onTestRunEnd(_modules, errors) {
    const [error] = errors;
    if (error === undefined || finding.caught) return;
    finding = { caught: true, file: null, test: null, detail: error.message };
  },
};

await startVitest(
  "test",
  "files" in tests ? [...tests.files] : [],
  {
    root,
    run: true,
    watch: false,
    bail: 1,
    retry: RETRIES,
    passWithNoTests: "of" in tests,
    reporters: [reporter],
    ...("of" in tests ? { related: [...tests.of], cliExclude: [...tests.without] } : {}),
  },
  mutant === null ? {} : { plugins: [inPlaceOf(mutantOf(mutant))] },
);
console.log(JSON.stringify(finding));
process.exit();

function failureOf(module: TestModule): Omit<UnitFinding, "caught"> {
  const file = relative(root, module.moduleId);
  for (const test of module.children.allTests("failed")) {
    const detail = test.result().errors?.[0]?.message ?? null;
    return { file, test: `${file}: ${test.fullName}`, detail };
  }
  return { file, test: file, detail: module.errors()[0]?.message ?? null };
}

function mutantOf(name: string): Mutant {
  const found = MUTANTS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no mutant "${name}"`);
  return found;
}

function inPlaceOf(one: Mutant): {
  name: string;
  enforce: "pre";
  load: (id: string) => string | null;
} {
  const source = join(root, sourceOf(one));
  const mutated = apply(one, readFileSync(join(root, one.file), "utf8"));
  return {
    name: "mutant",
    enforce: "pre",
    load: (id) => (id.split("?")[0] === source ? mutated : null),
  };
}
