/**
 * What Spin's verifier prints at the end of a search, as a verdict.
 *
 * It holds the search to being whole: an error-free search that was cut short proves nothing.
 */

export type Verdict =
  /** All states were visited, and nothing is wrong in any. */
  | { readonly kind: "holds"; readonly states: number }
  /** Something is wrong, in the verifier's words. */
  | { readonly kind: "broken"; readonly error: string; readonly states: number }
  /** Nobody knows: it was cut short, or didn't run. */
  | { readonly kind: "incomplete"; readonly why: string };

const CUT_SHORT = [
  "max search depth too small",
  "Search not completed",
  "out of memory",
  "memory limit",
  "reached -DMEMLIM",
  "hash-compact",
  "Bit statespace",
  "too many processes",
];

export function verdictOf(output: string): Verdict {
  const errors = /errors: (\d+)/.exec(output)?.[1];
  const states = Math.round(Number(/^ *([\d.e+]+) states, stored/m.exec(output)?.[1]));
  if (errors === undefined || Number.isNaN(states)) {
    return { kind: "incomplete", why: firstLine(output) };
  }
  // Of an error that was found it doesn't matter what else wasn't looked at.
  if (errors !== "0") {
    const error = /^pan:\d+: (.*)$/m.exec(output)?.[1] ?? `${errors} errors`;
    return { kind: "broken", error, states };
  }
  const why = CUT_SHORT.find((words) => output.includes(words));
  return why === undefined ? { kind: "holds", states } : { kind: "incomplete", why };
}

function firstLine(output: string): string {
  const line = output.split("\n").find((one) => one.trim() !== "");
  return line?.trim().slice(0, 200) ?? "the verifier printed nothing";
}
