/**
 * Which part of the repository a path belongs to, by the folders that it lies in: workspace, source or
 * test, core or shell. Every check asks here, so that the layout is written down once.
 */

/** The workspace's folder, such as `packages/client`, or "" for the repository's root. */
export function workspaceOf(path: string): string {
  return /^(?:packages|tools|examples)\/[^/]+(?=\/)/.exec(path)?.[0] ?? "";
}

export function isScript(path: string): boolean {
  return /\.(?:[cm]?[jt]s|tsx)$/.test(path) && !path.endsWith(".d.ts");
}

/** A test, or what only tests use. */
export function isTest(path: string): boolean {
  return /^(?:packages|tools)\/[^/]+\/test\//.test(path);
}

/** A test, or a suite that lives among the sources so that strangers can run it. */
export function isSuite(path: string): boolean {
  return isTest(path) || path.endsWith("-suite.ts") || path.startsWith("tools/conformance/src/");
}

/** Shell files: the ones beside a core that own a clock, a socket, a disk or a process. */
const shell = [
  /^tools\/simulation\/src\/drivers\//,
  /^packages\/client\/src\/(?:drivers\/|index\.ts$)/,
  /^packages\/server\/src\/(?:drivers\/|brokers\/disk|index\.ts$|server\.ts$)/,
];

/** Core files get time, randomness and transport as ports and see no platform (STYLE, rule 2). */
export function isCore(path: string): boolean {
  if (!/^(?:packages\/(?:protocol|client|server)|tools\/simulation)\/src\//.test(path))
    return false;
  return !shell.some((pattern) => pattern.test(path));
}

/** Files that may import Node's own modules and packages that wrap a platform. */
export function maySeePlatform(path: string): boolean {
  if (isTest(path)) return true;
  if (/^(?:packages\/(?:redis|nats|tailwire)|tools|examples)\//.test(path)) return !isCore(path);
  if (path === "packages/client/src/index.ts" || path === "packages/server/src/index.ts") {
    return false;
  }
  return workspaceOf(path) === "" || shell.some((pattern) => pattern.test(path));
}
