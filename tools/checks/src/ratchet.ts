/**
 * The ratchet: counts that may only fall. ratchet.json has today's; a count that has fallen has to be
 * recorded, so that it can't rise again.
 */
import { classSizes } from "./class-members.ts";
import { type Finding, lineAt } from "./finding.ts";
import { isScript, isTest, workspaceOf } from "./layout-map.ts";
import { asObject, parseObject } from "./manifest.ts";
import { maskSource } from "./masked-source.ts";
import type { Tree } from "./tree.ts";

export const RATCHET_FILE = "tools/checks/ratchet.json";

/** Members that a class may have without being named in the record. */
const MEMBERS_MAX = 40;

/** The counts, by file or by class. */
export interface Counts {
  /** Comment sentences that begin with a word which hides their subject, by file. */
  readonly openings: Readonly<Record<string, number>>;
  /** Members of each class that has too many, by `file: class`. */
  readonly members: Readonly<Record<string, number>>;
}

/** A sentence that begins so makes its reader wait for what it is about (STYLE, rule 11). */
const OPENING = /(?:^|[.!?:]\s+)(?:What|Who|Whoever|Those|Of)\b/g;

/** Today's counts of a tree. */
export function countsOf(tree: Tree): Counts {
  const openings: Record<string, number> = {};
  const members: Record<string, number> = {};
  for (const [path, text] of tree) {
    if (!isScript(path) || workspaceOf(path) === "") continue;
    const count = openingsIn(text);
    if (count > 0) openings[path] = count;
    if (isTest(path)) continue;
    for (const { name, members: size } of classSizes(text)) {
      if (size > MEMBERS_MAX) members[`${path}: ${name}`] = size;
    }
  }
  return { openings, members };
}

/** Counts in comments as prose: comment marks are removed, and a blank line ends a sentence. */
function openingsIn(text: string): number {
  const prose = maskSource(text)
    .comments.replace(/^[ \t]*\/?\*+\/?|^[ \t]*\/\/|\*\/|\/\*\*?|\/\//gm, " ")
    .split(/\n[ \t]*\n/)
    .map((paragraph) => paragraph.replace(/\s+/g, " ").trim());
  return prose.reduce((sum, paragraph) => sum + (paragraph.match(OPENING)?.length ?? 0), 0);
}

/** Finds counts that have risen, and counts that have fallen without being recorded. */
export function checkRatchet(tree: Tree): Finding[] {
  const recorded = recordIn(tree);
  const counted = countsOf(tree);
  return [
    ...compare("openings", recorded.openings, counted.openings, (path) => path, tree),
    ...compare(
      "members",
      recorded.members,
      counted.members,
      (key) => key.split(": ")[0] ?? "",
      tree,
    ),
  ];
}

const RISEN: Readonly<Record<keyof Counts, (count: number, allowed: number) => string>> = {
  openings: (count, allowed) =>
    `${count} comment sentences begin with What, Who, Whoever, Those or Of, ${allowed} may: begin with the thing's name`,
  members: (count, allowed) => `a class of ${count} members, ${allowed} may be: part its concerns`,
};

function compare(
  rule: keyof Counts,
  recorded: Readonly<Record<string, number>>,
  counted: Readonly<Record<string, number>>,
  fileOf: (key: string) => string,
  tree: Tree,
): Finding[] {
  const keys = new Set([...Object.keys(recorded), ...Object.keys(counted)]);
  return [...keys].flatMap((key) => {
    const allowed = recorded[key] ?? 0;
    const count = counted[key] ?? 0;
    if (count === allowed) return [];
    if (count > allowed) {
      const file = fileOf(key);
      const name = key.split(": ")[1];
      const line = name === undefined ? 1 : lineAt(tree.get(file) ?? "", placeOf(tree, file, name));
      const most = rule === "members" ? Math.max(allowed, MEMBERS_MAX) : allowed;
      return [{ file, line, rule: `ratchet-${rule}`, message: RISEN[rule](count, most) }];
    }
    const message = `${key} has ${count} now, not ${allowed}: record it with npm run ratchet`;
    return [{ file: RATCHET_FILE, line: 1, rule: `ratchet-${rule}`, message }];
  });
}

function placeOf(tree: Tree, file: string, name: string): number {
  return classSizes(tree.get(file) ?? "").find((one) => one.name === name)?.index ?? 0;
}

export function recordIn(tree: Tree): Counts {
  const { openings, members } = parseObject(tree.get(RATCHET_FILE) ?? "");
  return { openings: numbersOf(openings), members: numbersOf(members) };
}

function numbersOf(value: unknown): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(asObject(value)).filter(
      (entry): entry is [string, number] => typeof entry[1] === "number",
    ),
  );
}

export function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
