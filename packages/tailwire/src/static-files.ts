/**
 * The files that a browser may have: the page, and the compiled modules that it imports, straight
 * from where tsc put them. A file that isn't on the list here isn't there; this module knows no HTTP.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface StaticFile {
  readonly body: Buffer;
  readonly contentType: string;
}

/** From sources and from dist alike, the package is one folder up. */
const packageFolder = fileURLToPath(new URL("..", import.meta.url));
const pageFolder = join(packageFolder, "page");

const PAGES: ReadonlyMap<string, string> = new Map([
  ["/", join(pageFolder, "index.html")],
  ["/style.css", join(pageFolder, "style.css")],
  ["/favicon.svg", join(pageFolder, "favicon.svg")],
]);

const { resolve } = createRequire(import.meta.url);

/** Where tsc put a sibling's modules: tests resolve it to its sources, which lie beside them. */
function compiled(name: string): string {
  return join(dirname(resolve(name)), "..", "dist");
}

/** Folders of modules, by the path they are served at. */
const MODULES: readonly { readonly at: string; readonly folder: string }[] = [
  { at: "/page/", folder: join(packageFolder, "dist", "page") },
  { at: "/modules/client/", folder: compiled("@tailwire/client") },
  { at: "/modules/protocol/", folder: compiled("@tailwire/protocol") },
];

/** A module below its folder. Without dots in segments, no path leads out of it. */
const MODULE_PATH = /^(?:[A-Za-z0-9_-]+\/)*[A-Za-z0-9_-]+\.js(?:\.map)?$/;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  js: "text/javascript; charset=utf-8",
  map: "application/json",
};

/** The file of a URL's path, or null where there is none. */
export async function readStaticFile(path: string): Promise<StaticFile | null> {
  const file = locate(path);
  if (file === null) return null;
  const contentType = CONTENT_TYPES[file.slice(file.lastIndexOf(".") + 1)];
  if (contentType === undefined) return null;
  try {
    return { body: await readFile(file), contentType };
  } catch {
    return null;
  }
}

function locate(path: string): string | null {
  const page = PAGES.get(path);
  if (page !== undefined) return page;
  for (const { at, folder } of MODULES) {
    if (!path.startsWith(at)) continue;
    const rest = path.slice(at.length);
    return MODULE_PATH.test(rest) ? join(folder, rest) : null;
  }
  return null;
}
