/**
 * Reads the output of Spin's verifier as a verdict.
 *
 * A search without an error only counts when it was complete: one that was cut short proves nothing.
 */

export type Verdict =
  /** All states were visited, and none has an error. */
  | { readonly kind: "holds"; readonly states: number }
  /** An error was found; `error` is in the verifier's words. */
  | { readonly kind: "broken"; readonly error: string; readonly states: number }
  /** The search was cut short, or didn't run. */
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
  // An error counts also when the search was cut short.
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
