/**
 * Leaks: what a machine leaves behind in a committed file, such as a path of its own, a package
 * registry's host, or a lock that holds only this platform's binaries.
 */
import type { Finding } from "./finding.ts";
import { asObject, parseObject } from "./manifest.ts";
import type { Tree } from "./tree.ts";

const lockFile = "package-lock.json";

const leaks: readonly { readonly pattern: RegExp; readonly message: string }[] = [
  {
    // A path, not a part of an address or of a longer path.
    pattern: /(?<![\w.~$}@*/-])\/(?:farm|home|root|Users|work)\/[\w.-]/,
    message: "names a machine's path",
  },
  { pattern: /\bregistry\.[a-z0-9-]+\.[a-z]{2,}\b/i, message: "names a package registry's host" },
  { pattern: /"resolved": *"https?:/, message: "records a download address" },
  { pattern: /^\s*(?:@[\w-]+:)?registry\s*=/, message: "sets a package registry" },
];

/** Finds machine paths, registry hosts, and optional dependencies the lock doesn't pin. */
export function checkLeaks(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  for (const [file, text] of tree) {
    for (const [index, line] of text.split("\n").entries()) {
      for (const { pattern, message } of leaks) {
        if (pattern.test(line)) findings.push({ file, line: index + 1, rule: "leaks", message });
      }
    }
  }
  return [...findings, ...lockFindings(tree)];
}

function lockFindings(tree: Tree): Finding[] {
  const lock = tree.get(lockFile);
  if (lock === undefined) {
    return [{ file: lockFile, line: 1, rule: "lock", message: "is missing; run `npm install`" }];
  }
  const packages = asObject(parseObject(lock)["packages"]);
  const findings: Finding[] = [];
  for (const [path, entry] of Object.entries(packages)) {
    for (const name of Object.keys(asObject(asObject(entry)["optionalDependencies"]))) {
      if (resolves(packages, path, name)) continue;
      const message = `"${name}", optional for "${path}", has no entry: npm ci will refuse the lock`;
      findings.push({ file: lockFile, line: 1, rule: "lock", message });
    }
  }
  return findings;
}

/** Whether `name` is found from the package at `path`, the way Node looks for it. */
function resolves(
  packages: Readonly<Record<string, unknown>>,
  path: string,
  name: string,
): boolean {
  for (let folder = path; folder !== ""; folder = folder.slice(0, folder.lastIndexOf("/"))) {
    if (packages[`${folder}/node_modules/${name}`] !== undefined) return true;
    if (!folder.includes("/")) break;
  }
  return packages[`node_modules/${name}`] !== undefined;
}
