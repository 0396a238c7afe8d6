/**
 * The page in which a browser takes publications: the client's own modules, as they were built. It
 * says to the server how far it is by asking for `/taken`. It knows files, and no browser.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CHANNEL } from "../payload.ts";

interface File {
  readonly type: string;
  readonly text: string;
}

/** Where a package's built modules are: beside its entry. */
function folderOf(name: string): string {
  return fileURLToPath(new URL(".", import.meta.resolve(name)));
}

const IMPORTS = {
  "@tailwire/client": "/client/index.js",
  "@tailwire/protocol": "/protocol/index.js",
  "#driver": "/client/drivers/browser.js",
};

const PAGE = `<!doctype html>
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>
<script type="module">
  import { createClient } from "@tailwire/client";
  let taken = 0;
  createClient("ws://" + location.host).channel("${CHANNEL}").subscribe().on("message", () => {
    taken += 1;
  });
  setInterval(() => fetch("/taken?" + taken), 250);
</script>`;

/** What is at a path; null: nothing. */
export function pageFile(path: string): File | null {
  if (path === "/") return { type: "text/html", text: PAGE };
  const [, where, file = ""] = /^\/(client|protocol)\/([\w/-]+\.js)$/.exec(path) ?? [];
  if (where === undefined) return null;
  const full = `${folderOf(`@tailwire/${where}`)}${file}`;
  return existsSync(full) ? { type: "text/javascript", text: readFileSync(full, "utf8") } : null;
}
