/**
 * Whether a gap is justified: what the log, as it was when the gap was told, couldn't serve.
 *
 * It follows the truth as a history goes on, and knows no subscriber.
 */
import type { HistoryEvent, Place, SubscriberEvent } from "./history.ts";
import type { Incarnation, Truth } from "./truth.ts";

type Gap = Omit<Extract<SubscriberEvent, { type: "gap" }>, "type" | "sub" | "at">;

export class Gaps {
  readonly #truth: Truth;
  /** The last offset by now, per channel and epoch. */
  readonly #lasts = new Map<string, number>();
  readonly #edges = new Map<string, number>();
  /** Every edge that there ever was. */
  readonly #formerEdges = new Map<string, Set<number>>();

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  /** Goes on with the history. */
  note(event: HistoryEvent): void {
    if (event.type === "appended") {
      this.#lasts.set(`${event.channel} ${event.epoch}`, event.entry.offset);
    } else if (event.type === "epoch") {
      this.#lasts.set(`${event.channel} ${event.epoch}`, event.at);
      const edge = this.#edges.get(`${event.channel} ${event.parent}`) ?? 0;
      this.#moveEdge(`${event.channel} ${event.epoch}`, Math.min(edge, event.at));
    } else if (event.type === "edge") {
      this.#moveEdge(`${event.channel} ${event.epoch}`, event.offset);
    }
  }

  #moveEdge(key: string, edge: number): void {
    this.#edges.set(key, edge);
    const former = this.#formerEdges.get(key);
    if (former === undefined) this.#formerEdges.set(key, new Set([edge]));
    else former.add(edge);
  }

  /** The fault of a gap, in words; null where it has none. */
  faultOf(channel: string, gap: Gap, hasState: boolean): string | null {
    const { to, continuesAfter, reason, lost } = gap;
    if (reason !== "trimmed" && lost !== null) return `${lost} lost, which nobody can know`;
    if (this.#truth.find(channel, continuesAfter.epoch) === undefined)
      return `it goes on in epoch ${continuesAfter.epoch}, which never was`;
    // A state is made after the log was read, and that may have got another epoch meanwhile.
    const { epoch } = hasState ? to : continuesAfter;
    const log = this.#truth.find(channel, epoch);
    if (log === undefined) return `it was read in epoch ${epoch}, which never was`;
    const key = `${channel} ${log.epoch}`;
    const edge = this.#edges.get(key) ?? 0;
    const goesOn = hasState ? null : gap.continuesAfter.offset;
    const wasEdge = (offset: number): boolean => this.#formerEdges.get(key)?.has(offset) ?? true;
    switch (reason) {
      case "trimmed":
        if (!wasEdge(to.offset)) return `${to.offset} was never the edge`;
        return trimFault(log, gap, edge, goesOn);
      case "epoch":
        if (log.descendsFrom(gap.from.epoch)) return "the log goes on from that epoch";
        if (goesOn === null || wasEdge(goesOn)) return null;
        return `it begins at ${goesOn}, which was never the edge`;
      case "diverged":
        return divergenceFault(log, gap, edge, goesOn);
      case "ahead": {
        const last = this.#lasts.get(key) ?? Infinity;
        return gap.from.offset > last || !log.descendsFrom(gap.from.epoch)
          ? null
          : `the log reaches to ${last}`;
      }
      default:
        return reason satisfies never;
    }
  }
}

function trimFault(log: Incarnation, gap: Gap, edge: number, goesOn: number | null): string | null {
  const { from, to, lost } = gap;
  if (!log.continues(from)) return "the log doesn't go on from there";
  if (to.offset > edge) return `only ${edge} were trimmed`;
  if (lost !== Math.max(0, to.offset - from.offset)) return `${lost} lost`;
  return goesOn !== null && goesOn !== to.offset ? `it goes on after ${goesOn}` : null;
}

function divergenceFault(
  log: Incarnation,
  { from }: Gap,
  edge: number,
  goesOn: number | null,
): string | null {
  if (!log.descendsFrom(from.epoch)) return "the log has nothing in common with it";
  if (log.continues(from) && !isForeign(log, from)) return "the log goes on from there";
  const common = Math.min(log.sharedWith(from.epoch), log.last);
  if (goesOn === null || isForeign(log, from)) return null;
  // The edge may have moved on since the log was read.
  if (goesOn >= common && goesOn <= Math.max(common, edge)) return null;
  return `it goes on after ${goesOn}, and they have ${common} in common`;
}

/** Whether a position names another publication than the one that stands there. */
function isForeign(log: Incarnation, { offset, id }: Place): boolean {
  return id !== null && log.at(offset)?.id !== id;
}
