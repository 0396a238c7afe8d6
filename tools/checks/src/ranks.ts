/**
 * Ranks within a package: a file imports from lower ranks, or from its own folder. Type imports count, so
 * that a folder can be read, tested and replaced with nothing but what lies below it.
 *
 * ARCHITECTURE.md says why each rank is where it is. A new folder or file needs a place here first.
 */
import { posix } from "node:path";
import type { Finding } from "./finding.ts";
import { importStatements } from "./import-statements.ts";
import { isScript } from "./layout-map.ts";
import type { Tree } from "./tree.ts";

/** Folders and files below `src/` of each package, the lowest rank first. */
const RANKS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  "packages/server": [
    ["support/"],
    ["application.ts", "limits.ts", "ports.ts", "telemetry/"],
    ["log/"],
    ["access/", "brokers/"],
    ["delivery/"],
    ["connection/"],
    ["commands/"],
    ["node.ts"],
    ["drivers/", "options.ts", "server-channel.ts"],
    ["server.ts"],
    ["broker-contract.ts", "core.ts", "index.ts"],
  ],
};

/** Finds every import that doesn't point downwards, and every file without a rank. */
export function checkRanks(tree: Tree): Finding[] {
  return Object.entries(RANKS).flatMap(([workspace, ranks]) =>
    [...tree].flatMap(([path, text]) => {
      const file = belowSources(workspace, path);
      return file === null ? [] : faultsIn(workspace, ranks, file, text);
    }),
  );
}

function belowSources(workspace: string, path: string): string | null {
  const folder = `${workspace}/src/`;
  return path.startsWith(folder) && isScript(path) ? path.slice(folder.length) : null;
}

function faultsIn(
  workspace: string,
  ranks: readonly (readonly string[])[],
  file: string,
  text: string,
): Finding[] {
  const found = (line: number, message: string): Finding => ({
    file: `${workspace}/src/${file}`,
    line,
    rule: "ranks",
    message,
  });
  const rank = rankOf(ranks, file);
  if (rank === -1) return [found(1, `has no rank: give its folder a place in tools/checks`)];
  const findings: Finding[] = [];
  for (const { specifier, line } of importStatements(text)) {
    if (!specifier.startsWith(".")) continue;
    const target = posix.join(posix.dirname(file), specifier);
    const theirs = rankOf(ranks, target);
    if (theirs < rank || roomOf(target) === roomOf(file)) continue;
    const what = theirs === rank ? "of the same rank" : "of a higher rank";
    findings.push(
      found(line, `"${specifier}" is ${what}: a file imports downwards, or its own folder`),
    );
  }
  return findings;
}

function rankOf(ranks: readonly (readonly string[])[], file: string): number {
  return ranks.findIndex((places) =>
    places.some((place) => (place.endsWith("/") ? file.startsWith(place) : file === place)),
  );
}

/** The folder at the top, or the file itself where it lies in none. */
function roomOf(file: string): string {
  return file.split("/", 1)[0] ?? file;
}
