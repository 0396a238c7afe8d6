/**
 * Counts the members of classes: fields, accessors and methods, without the constructor. It scans masked
 * code and is no parser: it knows brackets, and the ends of members.
 */
import { maskSource } from "./masked-source.ts";

/** A class, and the number of its members. */
export interface ClassSize {
  readonly name: string;
  /** The index of the declaration in the text. */
  readonly index: number;
  readonly members: number;
}

const CLASS = /(?<![\w$.])class\s+([A-Za-z_$][\w$]*)/g;

/** The classes of a script that have names, in order. */
export function classSizes(text: string): ClassSize[] {
  const { code } = maskSource(text);
  return [...code.matchAll(CLASS)].flatMap((match) => {
    const body = bodyAfter(code, match.index + match[0].length);
    const name = match[1] ?? "";
    return body === null ? [] : [{ name, index: match.index, members: membersIn(body) }];
  });
}

/** The text between a class's braces. `from` is right behind its name. */
function bodyAfter(code: string, from: number): string | null {
  // An angle bracket may hold braces: `extends Map<string, { a: 1 }>`.
  let angles = 0;
  for (let at = from; at < code.length; at += 1) {
    const character = code[at];
    if (character === "<") angles += 1;
    else if (character === ">" && code[at - 1] !== "=") angles -= 1;
    else if (character === "{" && angles === 0) return code.slice(at + 1, closing(code, at));
  }
  return null;
}

/** The index of the bracket that closes the one at `open`. */
function closing(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at += 1) {
    if ("([{".includes(code[at] ?? " ")) depth += 1;
    else if (")]}".includes(code[at] ?? " ")) depth -= 1;
    if (depth === 0) return at;
  }
  return code.length;
}

/** Members end at a semicolon, or at the brace that closes a body. */
function membersIn(body: string): number {
  const names = new Set<string>();
  let start = 0;
  let isField = false;
  const end = (at: number): void => {
    const name = nameOf(body.slice(start, at));
    // Overloads, and a getter beside its setter, are one member.
    if (name !== "" && name !== "constructor") names.add(name);
    start = at;
    isField = false;
  };
  for (let at = 0; at < body.length; at += 1) {
    const character = body[at] ?? " ";
    if (character === ";") end(at + 1);
    else if (character === "=" && body[at + 1] !== ">") isField = true;
    else if ("([".includes(character)) at = closing(body, at);
    else if (character === "{") {
      at = closing(body, at);
      // A brace in a type doesn't end the member: `get a(): { b: 1 } {`.
      if (!isField && !/^(?:\s*[{|&>;,]|\[)/.test(body.slice(at + 1))) end(at + 1);
    }
  }
  return names.size;
}

const MODIFIERS =
  /^(?:\s|;|(?:public|private|protected|readonly|static|override|abstract|declare|async|accessor|get|set)\s+(?=[\w$#[*])|\*)*/;

/** A member's name. A computed one is named by its text, in brackets. */
function nameOf(member: string): string {
  const rest = member.replace(MODIFIERS, "");
  return /^(?:#?[\w$]+|\[[^\]]*\]|["'][^"']*["'])/.exec(rest)?.[0] ?? "";
}
