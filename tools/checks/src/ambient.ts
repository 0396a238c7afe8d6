/**
 * Ambient calls: the clock, the dice and the timers that a core could reach without a port.
 * Types already hide most of them from core files; `Date` and `Math.random` are the language's own,
 * and a cast can bring back the rest.
 */
import { type Finding, lineAt } from "./finding.ts";
import { isCore, isScript } from "./layout-map.ts";
import { maskSource } from "./masked-source.ts";
import type { Tree } from "./tree.ts";

const banned: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  { pattern: /(?<![\w$.])Date\s*\.\s*now\b/g, instead: "Clock" },
  { pattern: /(?<![\w$.])new\s+Date\b/g, instead: "Clock" },
  { pattern: /(?<![\w$.]|\bnew\s+)Date\s*\(/g, instead: "Clock" },
  { pattern: /(?<![\w$.])performance\b/g, instead: "Clock" },
  { pattern: /(?<![\w$.])(?:set|clear)(?:Timeout|Interval|Immediate)\b/g, instead: "Clock" },
  { pattern: /(?<![\w$.])(?:queueMicrotask|requestAnimationFrame)\b/g, instead: "Clock" },
  { pattern: /(?<![\w$.])process\s*\.\s*(?:nextTick|hrtime)\b/g, instead: "Clock" },
  { pattern: /(?<![\w$.])Math\s*\.\s*random\b/g, instead: "Random" },
  { pattern: /(?<![\w$.])crypto\s*\./g, instead: "Random" },
  { pattern: /(?<![\w$.])globalThis\b/g, instead: "a port" },
];

/** Finds ambient calls in core files; comments and strings may name them. */
export function checkAmbient(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  for (const [path, text] of tree) {
    if (!isScript(path) || !isCore(path)) continue;
    const { code } = maskSource(text);
    for (const { pattern, instead } of banned) {
      for (const match of code.matchAll(pattern)) {
        const call = match[0].replace(/\s*\($/, "()").replace(/\s*\.$/, "");
        findings.push({
          file: path,
          line: lineAt(text, match.index),
          rule: "ambient",
          message: `\`${call}\` in a core file; take ${instead} as a port`,
        });
      }
    }
  }
  return findings;
}
