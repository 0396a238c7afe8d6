/** Helpers for the tests of the checks: a tree in memory, and findings as short texts. */
import { type Finding, findingLine } from "../src/finding.ts";
import type { Tree } from "../src/tree.ts";

export function treeOf(files: Readonly<Record<string, string>>): Tree {
  return new Map(Object.entries(files));
}

/** Each finding as `file:line: rule`. */
export function places(findings: readonly Finding[]): string[] {
  return findings.map(({ file, line, rule }) => `${file}:${line}: ${rule}`);
}

/** Each finding as it is printed. */
export function lines(findings: readonly Finding[]): string[] {
  return findings.map(findingLine);
}
