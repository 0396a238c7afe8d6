/**
 * Clauses: PROTOCOL.md numbers its promises, as in `**[SUB-4]**` at a line's beginning. Every
 * promise has a test whose title cites it, and every citation has a promise.
 *
 * A clause marked `*(planned)*` on its line is not promised yet and needs no test.
 */
import { type Finding, lineAt } from "./finding.ts";
import { isScript, isSuite } from "./layout-map.ts";
import { maskSource } from "./masked-source.ts";
import type { Tree } from "./tree.ts";

const protocol = "PROTOCOL.md";
const clause = /^(?:[-*] +)?\*\*\[([A-Z]{2,}-\d+)\]\*\*/;
/** One id or several: `[SUB-4]`, `[SUB-4, SUB-5]`. */
const citation = /\[([A-Z]{2,}-\d+(?:, *[A-Z]{2,}-\d+)*)\]/g;

interface Clause {
  readonly id: string;
  readonly line: number;
  readonly planned: boolean;
}

/** Finds clauses that repeat or are untested, and citations of clauses that don't exist. */
export function checkClauses(tree: Tree): Finding[] {
  const text = tree.get(protocol);
  if (text === undefined) {
    const message = "is missing, so no clause can be cited";
    return [{ file: protocol, line: 1, rule: "clauses", message }];
  }
  const findings: Finding[] = [];
  const clauses = new Map<string, Clause>();
  for (const found of readClauses(text)) {
    const first = clauses.get(found.id);
    if (first === undefined) clauses.set(found.id, found);
    else findings.push(finding(found.line, `[${found.id}] repeats line ${first.line}'s id`));
  }
  const tested = new Set<string>();
  for (const [path, source] of citingFiles(tree)) {
    for (const { id, line, inComment } of citations(source)) {
      if (isSuite(path) && !inComment) tested.add(id);
      if (clauses.has(id)) continue;
      const message = `[${id}] is not a clause of ${protocol}`;
      findings.push({ file: path, line, rule: "clauses", message });
    }
  }
  for (const { id, line, planned } of clauses.values()) {
    if (planned || tested.has(id)) continue;
    findings.push(finding(line, `[${id}] is cited by no test's title`));
  }
  return findings;
}

function finding(line: number, message: string): Finding {
  return { file: protocol, line, rule: "clauses", message };
}

function readClauses(text: string): Clause[] {
  const clauses: Clause[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const id = clause.exec(line)?.[1];
    if (id === undefined) continue;
    clauses.push({ id, line: index + 1, planned: line.includes("*(planned)*") });
  }
  return clauses;
}

/** Every script of the workspaces, save the checks: their tests cite clauses they made up. */
function citingFiles(tree: Tree): [string, string][] {
  return [...tree].filter(
    ([path]) =>
      isScript(path) &&
      /^(?:packages|tools|examples)\//.test(path) &&
      !path.startsWith("tools/checks/"),
  );
}

function citations(source: string): { id: string; line: number; inComment: boolean }[] {
  const { comments } = maskSource(source);
  return [...source.matchAll(citation)].flatMap((match) => {
    const line = lineAt(source, match.index);
    const inComment = comments.charAt(match.index) === "[";
    return (match[1] ?? "").split(/, */).map((id) => ({ id, line, inComment }));
  });
}
