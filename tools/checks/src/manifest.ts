/** The fields of a package.json that the checks read. A broken file reads as an empty object. */
import type { Tree } from "./tree.ts";

export interface Manifest {
  readonly name: string;
  readonly scripts: ReadonlySet<string>;
  /** Packages that are installed with this one: dependencies, peer and optional ones. */
  readonly runtime: ReadonlySet<string>;
  readonly development: ReadonlySet<string>;
}

/** Reads `folder`'s manifest from the tree; `undefined` if there is none. */
export function readManifest(tree: Tree, folder: string): Manifest | undefined {
  const text = tree.get(folder === "" ? "package.json" : `${folder}/package.json`);
  if (text === undefined) return undefined;
  const json = parseObject(text);
  return {
    name: typeof json["name"] === "string" ? json["name"] : "",
    scripts: keys(json["scripts"]),
    runtime: new Set([
      ...keys(json["dependencies"]),
      ...keys(json["peerDependencies"]),
      ...keys(json["optionalDependencies"]),
    ]),
    development: keys(json["devDependencies"]),
  };
}

/** Parses `text` as a JSON object; anything else gives an empty one. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return {};
  }
}

export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function keys(value: unknown): Set<string> {
  return new Set(Object.keys(asObject(value)));
}
