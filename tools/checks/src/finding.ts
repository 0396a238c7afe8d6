/** A finding: one place in the repository that breaks one rule. */

export interface Finding {
  /** Path from the repository's root, with forward slashes. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/** The line a person or an editor reads: `file:line: rule: message`. */
export function findingLine({ file, line, rule, message }: Finding): string {
  return `${file}:${line}: ${rule}: ${message}`;
}

/** The number of the line that holds the character at `index`. */
export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < index; at = text.indexOf("\n", at + 1)) {
    line += 1;
  }
  return line;
}

/** Findings in the order of their place, so that two runs print the same. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  return findings.toSorted(
    (a, b) => compare(a.file, b.file) || a.line - b.line || compare(a.rule, b.rule),
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
