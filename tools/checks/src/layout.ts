/**
 * Layout: what every script looks like, whatever it says (STYLE, rules 1, 5 and 13). It opens with a comment, is
 * short, exports by name, silences no type error; and no test sleeps or runs alone.
 */
import { type Finding, lineAt } from "./finding.ts";
import { importStatements } from "./import-statements.ts";
import { isScript, isTest } from "./layout-map.ts";
import { type MaskedSource, maskSource } from "./masked-source.ts";
import type { Tree } from "./tree.ts";

const maxLines = 400;

/** Files whose default export a tool asks for. */
const defaultExportAllowed: ReadonlySet<string> = new Set([
  "vitest.brokers.config.ts",
  "vitest.browser.config.ts",
  "vitest.config.ts",
  "tools/checks/src/reporter.ts",
]);

/** Files that are another package under the name that is typed first. */
const facades: ReadonlySet<string> = new Set([
  "packages/tailwire/src/client.ts",
  "packages/tailwire/src/index.ts",
]);

interface Pattern {
  readonly rule: string;
  readonly message: string;
  readonly where: keyof MaskedSource;
  readonly pattern: RegExp;
  readonly applies: (path: string) => boolean;
  /** A line that matches this is excused. */
  readonly excuse?: RegExp;
}

const always = (): boolean => true;
const realTime = /\/\/ real time: \S.*$/;
const sleepMessage =
  "no test sleeps; drive a simulated clock, or end the line in `// real time: why`";

const patterns: readonly Pattern[] = [
  {
    rule: "default-export",
    message: "export by name",
    where: "code",
    pattern: /(?<![\w$.])export\s+default\b|(?<![\w$.])export\s*\{[^}]*\bas\s+default\b/g,
    applies: (path) => !defaultExportAllowed.has(path),
  },
  {
    rule: "export-star",
    message: "list what is exported",
    where: "code",
    pattern: /(?<![\w$.])export\s*(?:type\s*)?\*/g,
    applies: (path) => !facades.has(path),
  },
  {
    rule: "silenced-types",
    message: "mend the type, or use @ts-expect-error with its reason",
    where: "comments",
    pattern: /@ts-(?:ignore|nocheck)\b/g,
    applies: always,
  },
  {
    rule: "lonely-test",
    message: "`.only` keeps the other tests from running",
    where: "code",
    pattern: /\.\s*only\s*\(/g,
    applies: isTest,
  },
  {
    rule: "sleep",
    message: sleepMessage,
    where: "code",
    pattern: /(?<![\w$])setTimeout\s*\(/g,
    applies: isTest,
    excuse: realTime,
  },
];

/** Finds scripts that don't keep to the layout. */
export function checkLayout(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  for (const [file, text] of tree) {
    if (!isScript(file)) continue;
    if (!/^(?:#!.*\n)?\s*\/[*/]/.test(text)) {
      const message = "begin with a comment that says what this file is";
      findings.push({ file, line: 1, rule: "first-comment", message });
    }
    const lines = text.split("\n");
    const count = text.endsWith("\n") ? lines.length - 1 : lines.length;
    if (count > maxLines && !isTest(file)) {
      const message = `${count} lines; a file is one noun of at most ${maxLines}`;
      findings.push({ file, line: maxLines + 1, rule: "file-length", message });
    }
    findings.push(...patternFindings(file, text, lines));
    if (isTest(file)) findings.push(...timerImports(file, text, lines));
  }
  return findings;
}

function patternFindings(file: string, text: string, lines: readonly string[]): Finding[] {
  const findings: Finding[] = [];
  const masked = maskSource(text);
  for (const { rule, message, where, pattern, applies, excuse } of patterns) {
    if (!applies(file)) continue;
    for (const match of masked[where].matchAll(pattern)) {
      const line = lineAt(text, match.index);
      if (excuse?.test(lines[line - 1] ?? "") === true) continue;
      findings.push({ file, line, rule, message });
    }
  }
  return findings;
}

/** Node's timers by import, which is another way to sleep. */
function timerImports(file: string, text: string, lines: readonly string[]): Finding[] {
  return importStatements(text)
    .filter(({ specifier }) => /^(?:node:)?timers(?:\/promises)?$/.test(specifier))
    .filter(({ line }) => !realTime.test(lines[line - 1] ?? ""))
    .map(({ line }) => ({ file, line, rule: "sleep", message: sleepMessage }));
}
