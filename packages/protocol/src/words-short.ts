/**
 * Descriptions of a client's own errors in a browser's production bundle, which isn't sent sentences. The
 * conditions of `#words` in package.json choose between this file and `words-full.ts`.
 */

/** The detail alone. PROTOCOL.md, 11, has the rest by the error's code. */
export function describe(_code: string, detail = "see PROTOCOL.md"): string {
  return detail;
}
