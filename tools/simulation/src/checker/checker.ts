/**
 * The checker: which of tailwire's promises a history breaks. One linear pass after the truth about
 * the logs is known, no dependency, so that simulated, chaotic and long runs are judged alike.
 *
 * Left out are rules about what isn't there yet: presence (R22), and of the others what concerns
 * draining, credit, and skipping.
 */
import { Conduct, type Patience } from "./conduct.ts";
import { Contents } from "./contents.ts";
import { Gaps } from "./gaps.ts";
import type { HistoryEvent, Rule, Violation } from "./history.ts";
import { checkPublishing, Publications } from "./publishing.ts";
import { Subscribers } from "./subscribers.ts";
import { Truth } from "./truth.ts";

/** Details of one rule that are worth reading. */
const DETAILS_MAX = 20;

/** Every promise that the history breaks, up to twenty times each; none, if it is sound. */
export function check(
  history: readonly HistoryEvent[],
  patience: Patience = { expiryMs: 5_250, decisionMs: 5_250 },
): readonly Violation[] {
  const violations: Violation[] = [];
  const counts = new Map<Rule, number>();
  const report = (rule: Rule, detail: string): void => {
    const count = (counts.get(rule) ?? 0) + 1;
    counts.set(rule, count);
    if (count <= DETAILS_MAX) violations.push({ rule, detail });
  };
  const truth = new Truth(history);
  for (const detail of truth.reused) report("R15", `${detail} was begun twice`);
  const publications = new Publications(history);
  checkPublishing(history, truth, publications, report);
  const gaps = new Gaps(truth);
  const subscribers = new Subscribers(truth, gaps, publications, report);
  const contents = new Contents(truth, gaps, report);
  const conduct = new Conduct(report, patience);
  for (const [turn, event] of history.entries()) {
    gaps.note(event);
    subscribers.take(event, turn);
    contents.take(event);
    conduct.take(event);
    if (event.type === "settled") {
      subscribers.settle();
      conduct.settle();
    }
  }
  return violations;
}
