/** The fenced code blocks of the documents a reader copies from. */
import type { Tree } from "./tree.ts";

export interface DocBlock {
  readonly file: string;
  /** The line of the block's first line of code. */
  readonly line: number;
  /** The fence's first word: `ts`, `sh`. */
  readonly language: string;
  /** The rest of the fence's line. */
  readonly note: string;
  readonly code: string;
}

/** Reads the blocks of ARCHITECTURE.md, docs/, and every README.md. */
export function docBlocks(tree: Tree): DocBlock[] {
  const blocks: DocBlock[] = [];
  for (const [path, text] of tree) {
    if (/^(?:(?:packages\/[^/]+\/)?README|ARCHITECTURE)\.md$|^docs\/.*\.md$/.test(path)) {
      blocks.push(...blocksOf(path, text));
    }
  }
  return blocks;
}

function blocksOf(file: string, text: string): DocBlock[] {
  const blocks: DocBlock[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const opening = /^( *)(`{3,}|~{3,})\s*(\S*)\s*(.*)$/.exec(lines[at] ?? "");
    if (opening === null) continue;
    const [, indent = "", fence = "", language = "", note = ""] = opening;
    const first = at + 1;
    at = first;
    while (at < lines.length && !(lines[at] ?? "").trim().startsWith(fence)) at += 1;
    const code = lines
      .slice(first, at)
      .map((line) => line.replace(new RegExp(`^ {0,${indent.length}}`), ""));
    blocks.push({ file, line: first + 1, language, note: note.trim(), code: code.join("\n") });
  }
  return blocks;
}

/**
 * Why a block is not checked: the words after `ignore-with`, as in ```` ```ts ignore-with pseudocode ````,
 * perhaps behind the name of the file that it is. `undefined` if it is to be checked, "" if the reason is
 * missing.
 */
export function ignoreReason(block: DocBlock): string | undefined {
  const match = /^(?:[\w./-]+\.\w+ )?ignore(?:-with)?\b[\s:-]*(.*)$/.exec(block.note);
  return match === null ? undefined : (match[1] ?? "");
}
