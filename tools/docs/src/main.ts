/**
 * Makes the generated parts of the documents anew: `npm run docs`. With `--check` it changes
 * nothing, names the documents that are out of step, and exits 1.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { apiPages } from "./api-pages.ts";
import { regenerate } from "./markers.ts";
import { partsOf } from "./parts.ts";

const DOCUMENTS = [
  "PROTOCOL.md",
  "docs/lifecycle.md",
  "docs/limits.md",
  "docs/performance.md",
  "docs/promises.md",
];

const check = process.argv.includes("--check");
const parts = partsOf(".");
const pages = apiPages(process.cwd());
const stale = [...DOCUMENTS, ...Object.keys(pages)].filter((path) => {
  const before = existsSync(path) ? readFileSync(path, "utf8") : "";
  const after = formatted(path, pages[path]?.() ?? regenerate(before, parts));
  if (after === before) return false;
  if (!check) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, after);
  }
  return true;
});
for (const path of stale) {
  console.log(
    check ? `${path}: generated parts are out of step: npm run docs` : `${path}: made anew`,
  );
}
process.exitCode = check && stale.length > 0 ? 1 : 0;

/** As the formatter leaves it, since that pads tables. */
function formatted(path: string, text: string): string {
  const copy = `.tmp/generated/${path.replaceAll("/", "-")}`;
  mkdirSync(".tmp/generated", { recursive: true });
  writeFileSync(copy, text);
  execFileSync("node_modules/.bin/oxfmt", ["--write", copy], { stdio: "ignore" });
  return readFileSync(copy, "utf8");
}
