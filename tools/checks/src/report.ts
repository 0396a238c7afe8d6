/** How a check's program ends: findings on standard output, and an exit code that says if any. */
import { type Finding, findingLine } from "./finding.ts";

/** Prints the findings, or `clean` if there are none; with `--json`, one JSON object instead. */
export function report(findings: readonly Finding[], clean: string): void {
  const options = process.argv.slice(2);
  const unknown = options.find((option) => option !== "--json");
  if (unknown !== undefined) {
    console.error(`unknown option ${unknown}; the only one is --json`);
    process.exitCode = 2;
    return;
  }
  if (options.includes("--json")) console.log(JSON.stringify({ findings }, null, 2));
  else if (findings.length === 0) console.log(clean);
  else for (const finding of findings) console.log(findingLine(finding));
  process.exitCode = findings.length === 0 ? 0 : 1;
}
