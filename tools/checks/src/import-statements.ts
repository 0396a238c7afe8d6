/** The modules a source names: static, dynamic, type-only and re-exporting imports. */
import { lineAt } from "./finding.ts";
import { maskSource } from "./masked-source.ts";

export interface ImportStatement {
  readonly specifier: string;
  readonly line: number;
}

const patterns: readonly RegExp[] = [
  // import … from "x", export … from "x"
  /(?<![\w$.])(?:import|export)\b[^;"'()=]*?\bfrom\s*(["'])(\s*)\1/dg,
  // import "x", import("x"), require("x")
  /(?<![\w$.])(?:import\s*\(?|require\s*\()\s*(["'])(\s*)\1/dg,
];

/** Every module named in `text`, in order; a computed specifier is not seen. */
export function importStatements(text: string): ImportStatement[] {
  const { code } = maskSource(text);
  const found: { index: number; specifier: string }[] = [];
  for (const pattern of patterns) {
    for (const match of code.matchAll(pattern)) {
      const [from, to] = match.indices?.[2] ?? [0, 0];
      found.push({ index: from, specifier: text.slice(from, to) });
    }
  }
  found.sort((a, b) => a.index - b.index);
  return found.map(({ index, specifier }) => ({ specifier, line: lineAt(text, index) }));
}
