/**
 * A tree: the repository's own text files, by path. Checks get a tree and read no disk, so that a
 * test can plant a fault in memory.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Text by path from the repository's root, with forward slashes. */
export type Tree = ReadonlyMap<string, string>;

/** Folders that git ignores, and its own. A test compares them with .gitignore. */
export const ignoredFolders: readonly string[] = [
  ".git",
  ".tailwire",
  ".tmp",
  "coverage",
  "dist",
  "node_modules",
  "packed",
];

/** Reads every text file below `root`, save the ignored folders and symbolic links. */
export function readTree(root: string): Tree {
  const tree = new Map<string, string>();
  readInto(tree, root, "");
  return tree;
}

function readInto(tree: Map<string, string>, root: string, folder: string): void {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    // In a second worktree .git is a file.
    if (ignoredFolders.includes(entry.name)) continue;
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      readInto(tree, root, path);
    } else if (entry.isFile() && !entry.name.endsWith(".tsbuildinfo")) {
      const text = readFileSync(join(root, path), "utf8");
      if (!text.includes("\0")) tree.set(path, text);
    }
  }
}
