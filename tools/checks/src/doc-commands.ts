/**
 * The commands documents tell a reader to type. They are npm's, and name scripts that exist; a
 * clone and a change of folder are all else a reader needs.
 */
import { type DocBlock, docBlocks, ignoreReason } from "./doc-blocks.ts";
import type { Finding } from "./finding.ts";
import { readManifest } from "./manifest.ts";
import type { Tree } from "./tree.ts";

const shellLanguages: ReadonlySet<string> = new Set(["sh", "bash", "shell", "console"]);
const scriptLanguages: ReadonlySet<string> = new Set(["js", "javascript", "typescript"]);

/** Finds commands that are not npm's, scripts that don't exist, and fences of the wrong language. */
export function checkDocCommands(tree: Tree): Finding[] {
  const scripts = allScripts(tree);
  const findings = scriptsInProse(tree, scripts);
  for (const block of docBlocks(tree)) {
    const reason = ignoreReason(block);
    if (reason === "") findings.push(finding(block, 0, "say why after `ignore-with`"));
    if (reason !== undefined) continue;
    if (scriptLanguages.has(block.language)) {
      findings.push(
        finding(block, 0, `fence code as ts, not ${block.language}: it is type-checked`),
      );
    }
    if (!shellLanguages.has(block.language)) continue;
    for (const [index, line] of block.code.split("\n").entries()) {
      for (const command of commandsOf(line)) {
        const message = faultOf(command, scripts);
        if (message !== undefined) findings.push(finding(block, index, message));
      }
    }
  }
  return findings;
}

/** Scripts that sentences name and that don't exist, in every document. */
function scriptsInProse(tree: Tree, scripts: ReadonlySet<string>): Finding[] {
  const findings: Finding[] = [];
  for (const [file, text] of tree) {
    if (!file.endsWith(".md")) continue;
    for (const [index, line] of text.split("\n").entries()) {
      for (const [, command = ""] of line.matchAll(/`(npm (?:run|start|test)\b[^`]*)`/g)) {
        const message = faultOf(command, scripts);
        if (message !== undefined) findings.push({ file, line: index + 1, rule: "docs", message });
      }
    }
  }
  return findings;
}

function finding(block: DocBlock, index: number, message: string): Finding {
  return { file: block.file, line: block.line + index, rule: "docs", message };
}

/** The root's scripts, and for `-w`, those of every workspace. */
function allScripts(tree: Tree): ReadonlySet<string> {
  const scripts = new Set<string>();
  for (const path of tree.keys()) {
    const folder = /^(?:(.*)\/)?package\.json$/.exec(path);
    if (folder === null) continue;
    for (const script of readManifest(tree, folder[1] ?? "")?.scripts ?? []) scripts.add(script);
  }
  return scripts;
}

function commandsOf(line: string): string[] {
  return line
    .replace(/(?:^|\s)#.*$/, "")
    .replace(/^\s*\$ /, "")
    .split(/&&|;/)
    .map((command) => command.trim())
    .filter((command) => command !== "");
}

function faultOf(command: string, scripts: ReadonlySet<string>): string | undefined {
  const [program, verb = "", ...rest] = command.split(/\s+/);
  if (program === "cd" || (program === "git" && verb === "clone")) return undefined;
  if (program !== "npm") return `\`${command}\` is not an npm command, git clone or cd`;
  switch (verb) {
    case "ci":
    case "i":
    case "install":
      return undefined;
    case "start":
    case "test":
      return scripts.has(verb) ? undefined : `package.json has no script "${verb}"`;
    case "run": {
      const name = rest.find((word) => !word.startsWith("-")) ?? "";
      return scripts.has(name) ? undefined : `package.json has no script "${name}"`;
    }
    default:
      return `\`npm ${verb}\` is not a command the docs may use`;
  }
}
