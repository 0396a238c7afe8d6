/**
 * The documents' TypeScript, made ready for the compiler: each `ts` block becomes a module of
 * its own, and the compiler's complaints are led back to the document they came from.
 * This file runs no compiler; docs.ts does.
 */
import { type DocBlock, docBlocks, ignoreReason } from "./doc-blocks.ts";
import type { Finding } from "./finding.ts";
import type { Tree } from "./tree.ts";

export interface DocModule {
  /** The file to write the code to. */
  readonly name: string;
  readonly block: DocBlock;
}

/** The blocks to be compiled, each under a name of its own. */
export function docModules(tree: Tree): DocModule[] {
  return docBlocks(tree)
    .filter((block) => /^tsx?$/.test(block.language) && ignoreReason(block) === undefined)
    .map((block) => ({
      name: `${block.file.replace(/\.md$/, "").replaceAll("/", "-")}-${block.line}.${block.language}`,
      block,
    }));
}

/** Leads tsc's output, printed with `--pretty false`, back to the documents. */
export function docTypeFindings(output: string, modules: readonly DocModule[]): Finding[] {
  const findings: Finding[] = [];
  for (const line of output.split("\n")) {
    const match = /^(?:.*\/)?([^/(]+)\((\d+),\d+\): (error TS\d+: .*)$/.exec(line);
    if (match === null) {
      // A second line explains the first; anything else the compiler says is its own finding.
      if (line.trim() === "" || line.startsWith(" ")) continue;
      findings.push({ file: "tsconfig.base.json", line: 1, rule: "docs", message: line.trim() });
      continue;
    }
    const [, name, number, message = ""] = match;
    const block = modules.find((module) => module.name === name)?.block;
    findings.push({
      file: block?.file ?? name ?? "",
      line: (block?.line ?? 1) + Number(number) - 1,
      rule: "docs",
      message,
    });
  }
  return findings;
}
