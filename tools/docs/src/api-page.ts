/** A package's API as a page of Markdown: each export with its signature, its docstring, its members. */
import type { ApiItem } from "./api-model.ts";

/** One entry point of a package, and what it exports. */
export interface ApiEntry {
  /** The text after `import … from`. */
  readonly specifier: string;
  readonly items: readonly ApiItem[];
}

/** The kinds of exports, in the order in which a reader wants them. */
const KINDS: readonly (readonly [title: string, kinds: readonly string[]])[] = [
  ["Functions", ["Function"]],
  ["Classes", ["Class"]],
  ["Interfaces", ["Interface"]],
  ["Types", ["TypeAlias"]],
  ["Values", ["Variable", "Namespace"]],
];

/** The whole page. @throws Error for a kind of export that it has no place for. */
export function apiPage(name: string, entries: readonly ApiEntry[]): string {
  const lines = [
    `# ${name}`,
    "",
    "Every export, from the declarations that are shipped. This page is generated: `npm run docs`.",
  ];
  for (const { specifier, items } of entries) {
    lines.push("", `## \`import … from "${specifier}"\``);
    const left = new Set(items);
    for (const [title, kinds] of KINDS) {
      const these = items.filter(({ kind }) => kinds.includes(kind));
      if (these.length > 0) lines.push("", `### ${title}`);
      for (const item of these) {
        left.delete(item);
        lines.push("", ...exportLines(item));
      }
    }
    const [unknown] = left;
    if (unknown !== undefined) throw new Error(`${unknown.name}: no place for a ${unknown.kind}`);
  }
  return `${lines.join("\n")}\n`;
}

function exportLines(item: ApiItem): readonly string[] {
  const signature = signatureOf(item);
  // A namespace has none.
  const block = signature === "" ? [] : ["", "```text", signature, "```"];
  const lines = [`#### ${item.name}`, ...block];
  const words = wordsOf(item.docComment);
  if (words !== "") lines.push("", words);
  const members = item.members ?? [];
  if (members.length > 0) lines.push("", ...members.map(memberLine));
  return lines;
}

function memberLine(member: ApiItem): string {
  const signature = signatureOf(member).replaceAll(/\s+/g, " ");
  // The words that api-extractor puts where a constructor has none say nothing.
  const comment = /Constructs a new instance of/.test(member.docComment) ? "" : member.docComment;
  const words = wordsOf(comment).replaceAll("\n\n", " ");
  return `- \`${signature}\`${words === "" ? "" : `: ${words}`}`;
}

/** The declaration without its body, which the members below it show. */
function signatureOf({ excerptTokens }: ApiItem): string {
  return excerptTokens
    .map(({ text }) => text)
    .join("")
    .replace(/^export (?:declare )?/, "")
    .replace(/;$/, "")
    .trim();
}

/** A docstring's words: paragraphs stay, lines are joined, tags become words. */
export function wordsOf(docComment: string): string {
  return docComment
    .replace(/^\/\*\*|\*\/\s*$/g, "")
    .replaceAll(/^[ \t]*\* ?/gm, "")
    .replaceAll(/\{@link ([^}]+)\}/g, "`$1`")
    .replaceAll(/@throws\s+/g, "Throws: ")
    .split(/\n[ \t]*\n/)
    .map((paragraph) => (/^\s*-/m.test(paragraph) ? paragraph.trim() : oneLine(paragraph)))
    .filter((paragraph) => paragraph !== "")
    .join("\n\n");
}

function oneLine(paragraph: string): string {
  return paragraph.replaceAll(/\s+/g, " ").trim();
}
