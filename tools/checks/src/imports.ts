/**
 * Import directions between packages (STYLE, rule 3). npm workspaces and tsc allow an undeclared
 * sibling, and a path into another package; this check doesn't.
 */
import { isBuiltin } from "node:module";
import { posix } from "node:path";
import type { Finding } from "./finding.ts";
import { importStatements } from "./import-statements.ts";
import { isScript, isTest, maySeePlatform, workspaceOf } from "./layout-map.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import type { Tree } from "./tree.ts";

const anyPackage =
  /^(?:@tailwire\/(?!simulation|checks|conformance|models|fuzz|attacks|bench)|tailwire(?:\/|$))/;
const brokers = /^@tailwire\/(?:protocol|server\/broker-contract)$/;

/** Imports of other packages, by workspace. A workspace that isn't here may import none. */
const siblings: Readonly<Record<string, RegExp>> = {
  "packages/client": /^@tailwire\/protocol$/,
  "packages/server": /^@tailwire\/protocol$/,
  "packages/redis": brokers,
  "packages/nats": brokers,
  "packages/react": /^@tailwire\/client$/,
  "packages/tailwire": anyPackage,
  "tools/conformance": /^@tailwire\/protocol(?:\/msgpack)?$/,
  "tools/simulation":
    /^@tailwire\/(?:protocol|client|server)(?:\/core|\/broker-contract|\/msgpack)?$/,
  "tools/mutants": /^@tailwire\/simulation$/,
  "tools/docs": /^@tailwire\/(?:protocol|bench|(?:client|server)\/core)$/,
  "tools/fuzz":
    /^@tailwire\/(?:protocol(?:\/msgpack)?|client(?:\/core)?|server|simulation|attacks\/yardstick)$/,
  "tools/attacks": /^@tailwire\/(?:protocol\/msgpack|server)$/,
  "tools/bench": anyPackage,
  "examples/two-nodes": anyPackage,
};

/** Third-party packages that see no platform, so that a core may import them. */
const pure: ReadonlySet<string> = new Set(["@msgpack/msgpack", "@standard-schema/spec", "react"]);

interface Importer {
  readonly path: string;
  readonly workspace: string;
  readonly manifest: Manifest | undefined;
  readonly root: Manifest | undefined;
  /** Names of all workspaces' packages. */
  readonly own: ReadonlySet<string>;
}

/** Finds every import that the layout doesn't allow. */
export function checkImports(tree: Tree): Finding[] {
  const own = new Set<string>();
  for (const path of tree.keys()) {
    if (path.endsWith("/package.json")) {
      own.add(readManifest(tree, posix.dirname(path))?.name ?? "");
    }
  }
  const findings: Finding[] = [];
  const root = readManifest(tree, "");
  for (const [path, text] of tree) {
    if (!isScript(path)) continue;
    const workspace = workspaceOf(path);
    const importer = { path, workspace, manifest: readManifest(tree, workspace), root, own };
    for (const { specifier, line } of importStatements(text)) {
      const message = faultOf(importer, specifier);
      if (message !== undefined) findings.push({ file: path, line, rule: "imports", message });
    }
  }
  return findings;
}

/** The complaint about an import; `undefined` when it is allowed. */
function faultOf(importer: Importer, specifier: string): string | undefined {
  if (specifier.startsWith(".") || specifier.startsWith("/")) {
    return relativeFault(importer, specifier);
  }
  if (specifier.startsWith("#")) return platformFault(importer, specifier);
  if (isBuiltin(specifier)) {
    if (!specifier.startsWith("node:")) return `write "node:${specifier}"`;
    return platformFault(importer, specifier);
  }
  const name = packageName(specifier);
  if (importer.own.has(name)) return siblingFault(importer, specifier, name);
  return (
    undeclaredFault(importer, name) ?? (pure.has(name) ? undefined : platformFault(importer, name))
  );
}

function relativeFault({ path, workspace }: Importer, specifier: string): string | undefined {
  const target = posix.join(posix.dirname(path), specifier);
  if (specifier.startsWith("/") || target.startsWith("..") || workspaceOf(target) !== workspace) {
    return `"${specifier}" leaves its package; import the other package by its name`;
  }
  if (isTest(target) && !isTest(path))
    return `"${specifier}" is a test; sources don't import tests`;
  return undefined;
}

function platformFault({ path }: Importer, specifier: string): string | undefined {
  if (maySeePlatform(path)) return undefined;
  // The client's index joins its core to the driver that package.json chooses.
  if (specifier === "#driver" && path === "packages/client/src/index.ts") return undefined;
  // The client's own errors: sentences, or details only.
  if (specifier === "#words" && path === "packages/protocol/src/errors.ts") return undefined;
  return `"${specifier}" is a platform; only drivers and shells see one, a core gets a port`;
}

function siblingFault(importer: Importer, specifier: string, name: string): string | undefined {
  const { path, workspace, manifest } = importer;
  if (name === manifest?.name) {
    return isTest(path) ? undefined : `"${specifier}" is this package; import the file itself`;
  }
  if (!isTest(path) && siblings[workspace]?.test(specifier) !== true) {
    return `${workspace || "the root"} may not import "${specifier}" (STYLE, rule 3)`;
  }
  return undeclaredFault(importer, name);
}

function undeclaredFault(importer: Importer, name: string): string | undefined {
  const { path, workspace, manifest, root, own } = importer;
  if (manifest?.runtime.has(name) === true) return undefined;
  const shipped = workspace.startsWith("packages/") && !isTest(path);
  if (!shipped && manifest?.development.has(name) === true) return undefined;
  if (!shipped && !own.has(name) && root?.development.has(name) === true) return undefined;
  const where = workspace === "" ? "package.json" : `${workspace}/package.json`;
  const field = shipped ? "dependencies or peerDependencies" : "devDependencies";
  return `"${name}" is not in ${where}'s ${field}`;
}

function packageName(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
