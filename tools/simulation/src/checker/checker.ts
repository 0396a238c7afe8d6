/**
 * The checker: which of tailwire's promises a history breaks. One linear pass after the truth about
 * the logs is known, no dependency, so that simulated, chaotic and long runs are judged alike.
 *
 * Left out are rules about what isn't there yet: presence (R22), and of the others what concerns
 * draining, credit, and skipping.
 */
import { Access } from "./access.ts";
import { Causes } from "./causes.ts";
import { Conduct } from "./conduct.ts";
import { Contents } from "./contents.ts";
import { Gaps } from "./gaps.ts";
import type { HistoryEvent } from "./history.ts";
import type { Setting } from "./setting.ts";
import { Pages } from "./pages.ts";
import { Isolation } from "./isolation.ts";
import { checkOutcomes } from "./outcomes.ts";
import { Producers } from "./producers.ts";
import { checkLogs, Publications } from "./publishing.ts";
import { Starts } from "./starts.ts";
import { Subscribers } from "./subscribers.ts";
import { Timeline } from "./timeline.ts";
import { Truth } from "./truth.ts";
import { Wire } from "./wire.ts";
import type { Rule, Violation } from "./violation.ts";

/** Details of one rule that are worth reading. */
const DETAILS_MAX = 20;

/** The limits of a server as it comes. */
const USUAL: Setting = {
  expiryMs: 5_250,
  decisionMs: 5_250,
  pageBytes: 65_536,
  staleMs: 0,
  dedupeMs: 120_000,
  appendMs: 10_000,
  subscriptionsMax: 256,
  messageBytesMax: 65_536,
  requestsMax: 2_192,
  window: 256,
  wall: 0,
};

function settingOf([first]: readonly HistoryEvent[]): Setting {
  return first?.type === "setting" ? { ...USUAL, ...first } : USUAL;
}

/** Every promise that the history breaks, up to twenty times each; none, if it is sound. */
export function check(history: readonly HistoryEvent[]): readonly Violation[] {
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
  const setting = settingOf(history);
  const timeline = new Timeline(history, truth);
  const wire = new Wire(history);
  checkLogs({ truth, publications, wire }, report);
  checkOutcomes(history, { truth, timeline, publications, wire }, report);
  const starts = new Starts(history, { timeline, wire, publications }, setting);
  starts.check(report);
  const gaps = new Gaps(truth);
  const subscribers = new Subscribers({ truth, timeline, gaps, publications, starts }, report);
  const contents = new Contents(truth, report);
  const pages = new Pages({ truth, timeline, gaps }, setting.pageBytes, report);
  const conduct = new Conduct(setting, report);
  const causes = new Causes({ publications, wire }, setting, report);
  const producers = new Producers(wire, setting, report);
  const isolation = new Isolation(publications, report);
  const access = new Access(wire, setting, report);
  for (const [turn, event] of history.entries()) {
    gaps.note(event);
    subscribers.take(event, turn);
    contents.take(event);
    pages.take(event, turn);
    access.take(event, turn);
    causes.take(event, turn);
    producers.take(event);
    isolation.take(event);
    conduct.take(event);
    if (event.type === "settled") {
      subscribers.settle();
      conduct.settle();
    }
  }
  return violations;
}
