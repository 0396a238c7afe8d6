/**
 * Packages: what npm shows of each that is published. A stranger meets a package alone, so its README,
 * its licence and the address of its sources are in its own folder.
 */
import { posix } from "node:path";
import type { Finding } from "./finding.ts";
import { asObject, parseObject } from "./manifest.ts";
import type { Tree } from "./tree.ts";

/** Fields of a manifest that npm's page is made from. */
const FIELDS = ["description", "keywords", "homepage", "license", "repository"] as const;

/** Finds packages that a stranger couldn't place. */
export function checkPackages(tree: Tree): Finding[] {
  return [...tree]
    .filter(([path]) => /^packages\/[^/]+\/package\.json$/.test(path))
    .flatMap(([path, text]) => faultsOf(tree, posix.dirname(path), parseObject(text)))
    .map(({ file, message }) => ({ file, line: 1, rule: "packages", message }));
}

function faultsOf(
  tree: Tree,
  folder: string,
  manifest: Readonly<Record<string, unknown>>,
): { readonly file: string; readonly message: string }[] {
  if (manifest["private"] === true) return [];
  const file = `${folder}/package.json`;
  const faults = FIELDS.filter((field) => manifest[field] === undefined).map((field) => ({
    file,
    message: `"${field}" is missing: npm's page is made from it`,
  }));
  const name = typeof manifest["name"] === "string" ? manifest["name"] : "";
  const { directory } = asObject(manifest["repository"]);
  if (manifest["repository"] !== undefined && directory !== folder) {
    faults.push({ file, message: `"repository.directory" has to be "${folder}"` });
  }
  const prepack = asObject(manifest["scripts"])["prepack"];
  if (typeof prepack !== "string" || !prepack.startsWith("tsc -b")) {
    faults.push({
      file,
      message: "its prepack has to begin with tsc -b, or a clean clone packs nothing",
    });
  }
  if (tree.get(`${folder}/README.md`)?.startsWith(`# ${name}\n`) !== true) {
    const message = `${folder}/README.md is missing, or doesn't begin with "# ${name}"`;
    faults.push({ file, message });
  }
  if (tree.get(`${folder}/LICENSE`) !== tree.get("LICENSE")) {
    faults.push({ file, message: `${folder}/LICENSE has to be the root's` });
  }
  return faults;
}
