/**
 * Checks what documents tell a reader to write and type: `node tools/checks/dist/docs.js [--json]`,
 * from the repository's root. TypeScript blocks are compiled against the packages' sources in
 * .tmp/docs, which git ignores.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkDocCommands } from "./doc-commands.ts";
import { checkDocLinks } from "./doc-links.ts";
import { docModules, docTypeFindings } from "./doc-types.ts";
import { type Finding, inOrder } from "./finding.ts";
import { report } from "./report.ts";
import { readTree, type Tree } from "./tree.ts";

const folder = join(process.cwd(), ".tmp", "docs");

/** Examples may leave a name unused, and see what a page and a Node program see. */
const tsconfig = {
  extends: "../../tsconfig.test.json",
  compilerOptions: {
    jsx: "react-jsx",
    moduleDetection: "force",
    noUnusedLocals: false,
    noUnusedParameters: false,
  },
  include: ["*.ts", "*.tsx"],
};

function checkDocTypes(tree: Tree): Finding[] {
  const modules = docModules(tree);
  rmSync(folder, { recursive: true, force: true });
  if (modules.length === 0) return [];
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  for (const { name, block } of modules) writeFileSync(join(folder, name), `${block.code}\n`);
  const compiler = join(process.cwd(), "node_modules", ".bin", "tsc");
  const run = spawnSync(compiler, ["-p", folder, "--pretty", "false"], { encoding: "utf8" });
  const findings = docTypeFindings(`${run.stdout ?? ""}${run.stderr ?? ""}`, modules);
  if (run.status === 0 || findings.length > 0) return findings;
  const message = `tsc ended with ${run.status ?? run.signal ?? String(run.error)} and said nothing`;
  return [{ file: "package.json", line: 1, rule: "docs", message }];
}

const tree = readTree(process.cwd());
const findings = inOrder([
  ...checkDocCommands(tree),
  ...checkDocLinks(tree),
  ...checkDocTypes(tree),
]);
report(findings, `docs: no findings in ${docModules(tree).length} TypeScript blocks`);
