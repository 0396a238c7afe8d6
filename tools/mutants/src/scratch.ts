/**
 * A scratch: a copy of the repository in which something may be made wrong. Folders of packages are
 * linked, save the links among them, which lead to the copy's own packages as they do in the original.
 */
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

/** Folders that a copy does without. */
const LEFT_OUT: ReadonlySet<string> = new Set([".git", ".tmp", "coverage", "node_modules"]);

const made = new Set<string>();

/** Makes a copy of what is below a root. The path ends in a slash. */
export function makeScratch(root: string): string {
  const scratch = mkdtempSync(join(tmpdir(), "tailwire-scratch-"));
  made.add(scratch);
  cpSync(root, scratch, {
    recursive: true,
    preserveTimestamps: true,
    verbatimSymlinks: true,
    filter: (path) => resolve(path) === resolve(root) || !LEFT_OUT.has(basename(path)),
  });
  const modules = join(root, "node_modules");
  if (existsSync(modules)) linkAll(modules, join(scratch, "node_modules"));
  return `${scratch}/`;
}

export function removeScratch(scratch: string): void {
  const folder = resolve(scratch);
  made.delete(folder);
  rmSync(folder, { recursive: true, force: true });
}

/** Removes all that are left. */
export function removeScratches(): void {
  for (const scratch of made) removeScratch(scratch);
}

function linkAll(from: string, to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    const [original, link] = [join(from, name), join(to, name)];
    if (lstatSync(original).isSymbolicLink()) symlinkSync(readlinkSync(original), link);
    else if (name.startsWith("@")) linkAll(original, link);
    // Caches that tools keep there aren't shared.
    else if (!name.startsWith(".") || name === ".bin") symlinkSync(original, link);
  }
}
