/** How a check says what it found: it returns, or throws one of these. It knows no clause. */

/** The server broke the clause. */
export class Broken extends Error {}

/** From outside, or on this server, nobody can tell. */
export class CannotJudge extends Error {}

/** @throws Broken with what was found instead, unless the condition holds. */
export function must(condition: boolean, found: string): asserts condition {
  if (!condition) throw new Broken(found);
}

/** A clause that something broke while another one was being judged. */
export interface Breach {
  readonly clause: string;
  readonly note: string;
}

/** A value as a note quotes it. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
