/**
 * Sights: the rare things that a run may show, each of which has to be seen among many seeds, so that
 * a run that finds nothing has at least looked everywhere.
 */
import type { HistoryEvent } from "../checker/history.ts";
import { Truth } from "../checker/truth.ts";
import { FAULT_CLASSES } from "./regime.ts";

/** The sights that only a whole history shows. */
export function sightsOf(history: readonly HistoryEvent[]): readonly string[] {
  const seen = new Set<string>();
  const truth = new Truth(history);
  const channels = new Map<string, string>();
  const tags = new Set<string>();
  for (const [, log] of truth.all()) for (const { tag } of log.own.values()) tags.add(tag);
  const edges = new Map<string, number>();
  for (const event of history) {
    if (event.type === "publish") channels.set(event.tag, event.channel);
    else if (event.type === "edge") edges.set(`${event.channel} ${event.epoch}`, event.offset);
    else if (event.type === "unpublished" && event.code === "indeterminate") {
      seen.add(`indeterminate that was ${tags.has(event.tag) ? "" : "not "}appended`);
    } else if (event.type === "subscribe") {
      const { start, channel } = event;
      if (typeof start !== "object" || "rewind" in start) continue;
      const edge = edges.get(`${channel} ${start.epoch}`) ?? 0;
      if (edge > 0 && start.offset === edge) seen.add("start exactly at the edge");
    }
  }
  return [...seen];
}

/**
 * Codes that nodes say. The others need more than they meet here, or a client that breaks the
 * protocol: where one of those is told a client of ours, rule 27 is broken.
 */
const CODES =
  "cancelled expired fenced forbidden held indeterminate internal limit_exceeded nope not_subscribed rate_limited snapshot_unavailable timeout unavailable unknown_request".split(
    " ",
  );

/** How links end. */
const CLOSES =
  "1006 done disconnected heartbeat_timeout hello_timeout rate_limited restarting session_in_use slow_consumer superseded token_expired".split(
    " ",
  );

/** Everything that has to be seen in a run of many seeds. */
export const SIGHTS: readonly string[] = [
  ...FAULT_CLASSES.map((name) => `fault: ${name}`),
  ..."trimmed epoch diverged ahead".split(" ").map((reason) => `gap: ${reason}`),
  ...CODES.map((code) => `error: ${code}`),
  ...CLOSES.map((name) => `close: ${name}`),
  "publish: ttl_expired",
  "publish: too_large",
  "publish: taken back",
  "request: indeterminate",
  "subscription ended: removed",
  "start exactly at the edge",
  "a connection holds more than it may, for a moment",
  "resumed with nothing missed",
  "resumed with a gap",
  "epoch continued",
  "duplicate suppressed",
  "publication sent again",
  "indeterminate that was appended",
  "indeterminate that was not appended",
  "snapshot",
  "page",
  "page with a gap",
  "request answered",
  "subscription that the server began",
  "unsubscribed by the server",
];
