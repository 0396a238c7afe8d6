/**
 * A source with some of its text blanked out, so that checks can search it by pattern without
 * being fooled by a comment that names `Math.random` or a string that holds `import`.
 *
 * Blanking keeps every offset and line break. It is a scanner, not a parser: it knows comments,
 * strings, template literals and regular expressions, and nothing of the grammar between them.
 */

export interface MaskedSource {
  /** Code only: comments, and the insides of strings and regular expressions, are blank. */
  readonly code: string;
  /** Comments only. */
  readonly comments: string;
}

type Kind = "code" | "comment" | "literal";

interface Span {
  readonly kind: Kind;
  readonly end: number;
}

/** Splits a TypeScript or JavaScript source into code, comments and literals. */
export function maskSource(text: string): MaskedSource {
  const spans = scan(text);
  return {
    code: keep(text, spans, (kind) => kind === "code"),
    comments: keep(text, spans, (kind) => kind === "comment"),
  };
}

function keep(text: string, spans: readonly Span[], wanted: (kind: Kind) => boolean): string {
  let kept = "";
  for (const { kind, end } of spans) {
    const part = text.slice(kept.length, end);
    kept += wanted(kind) ? part : part.replace(/[^\n]/g, " ");
  }
  return kept;
}

function scan(text: string): Span[] {
  const spans: Span[] = [];
  // One entry per open `${`: how many braces are open inside it.
  const templates: number[] = [];
  let at = 0;
  const take = (kind: Kind, end: number): void => {
    at = Math.min(end, text.length);
    spans.push({ kind, end: at });
  };
  const takeLiteral = (end: number): void => {
    // The delimiters stay code, so that `from "` can still be found.
    take("code", at + 1);
    if (end - 1 > at) take("literal", end - 1);
    take("code", end);
  };
  const takeTemplateText = (): void => {
    const end = templateTextEnd(text, at);
    take("literal", end);
    if (text.startsWith("${", end)) {
      templates.push(0);
      take("code", end + 2);
    } else {
      take("code", end + 1);
    }
  };
  while (at < text.length) {
    const character = text.charAt(at);
    if (text.startsWith("//", at)) take("comment", lineEnd(text, at));
    else if (text.startsWith("/*", at)) take("comment", blockCommentEnd(text, at));
    else if (character === '"' || character === "'") takeLiteral(stringEnd(text, at));
    else if (character === "/" && regularExpressionMayStart(text, spans, at)) {
      takeLiteral(regularExpressionEnd(text, at));
    } else if (character === "`") {
      take("code", at + 1);
      takeTemplateText();
    } else if (character === "{" && templates.length > 0) {
      templates[templates.length - 1] = (templates.at(-1) ?? 0) + 1;
      take("code", at + 1);
    } else if (character === "}" && templates.at(-1) === 0) {
      templates.pop();
      take("code", at + 1);
      takeTemplateText();
    } else if (character === "}" && templates.length > 0) {
      templates[templates.length - 1] = (templates.at(-1) ?? 0) - 1;
      take("code", at + 1);
    } else take("code", at + 1);
  }
  return spans;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}

function blockCommentEnd(text: string, from: number): number {
  const end = text.indexOf("*/", from + 2);
  return end === -1 ? text.length : end + 2;
}

function stringEnd(text: string, from: number): number {
  const quote = text.charAt(from);
  for (let at = from + 1; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === "\\") at += 1;
    else if (character === quote) return at + 1;
    else if (character === "\n") return at;
  }
  return text.length;
}

/** Where the template's closing backtick or its next `${` stands. */
function templateTextEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === "\\") at += 1;
    else if (character === "`" || text.startsWith("${", at)) return at;
  }
  return text.length;
}

function regularExpressionEnd(text: string, from: number): number {
  let inClass = false;
  for (let at = from + 1; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === "\\") at += 1;
    else if (character === "\n") return at;
    else if (character === "[") inClass = true;
    else if (character === "]") inClass = false;
    else if (character === "/" && !inClass) return at + 1;
  }
  return text.length;
}

/** A slash divides after a value and opens a regular expression everywhere else. */
function regularExpressionMayStart(text: string, spans: readonly Span[], at: number): boolean {
  let index = spans.length - 1;
  for (; index >= 0; index -= 1) {
    const end = spans[index]?.end ?? 0;
    if (spans[index]?.kind !== "comment" && text.charAt(end - 1).trim() !== "") break;
  }
  if (index < 0) return true;
  const before = text.slice(Math.max(0, at - 200), spans[index]?.end ?? 0);
  if (/(?:^|[^\w$.])(?:return|typeof|case|of|in|void|yield|await|throw|else)$/.test(before)) {
    return true;
  }
  return !/[\w$)\]"'`]$/.test(before);
}
