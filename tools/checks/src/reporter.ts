/**
 * A vitest reporter whose one job is the last line of the output: `N passed, M failed`.
 *
 * It counts tests, plus one failure for each file that could not be loaded and for each error
 * thrown outside a test, so that the line never says "0 failed" of a run that failed. It doesn't
 * know which suite ran or who reads the line.
 */
import { writeSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** The reporter vitest loads by this file's path. */
// oxlint-disable-next-line import/no-default-export -- vitest asks for one
export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = countTests(modules);
    counts.failed += unhandledErrors.length;
    const line = countsLine(counts);
    // Other reporters and vitest itself still print after this event; at exit nobody does.
    process.once("exit", () => writeSync(1, `${line}\n`));
  }
}

function countTests(modules: readonly TestModule[]): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const module of modules) {
    let failedInModule = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === "passed") counts.passed += 1;
      else if (state === "skipped") counts.skipped += 1;
      else failedInModule += 1;
    }
    // A file that fails to load, or whose hooks throw, has no failed test to show for it.
    if (failedInModule === 0 && module.state() === "failed") failedInModule = 1;
    counts.failed += failedInModule;
  }
  return counts;
}

function countsLine({ passed, failed, skipped }: Counts): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped > 0 ? `${line}, ${skipped} skipped` : line;
}
