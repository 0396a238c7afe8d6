/**
 * Rules about contents: one place has one publication, whoever reads it and how, and a page is a
 * piece of the log. Rules 3, 5, 14, 25 of the checker.
 */
import type { Gaps } from "./gaps.ts";
import type { Entry, HistoryEvent, PageEvent, Report } from "./history.ts";
import type { Truth } from "./truth.ts";

export class Contents {
  readonly #truth: Truth;
  readonly #gaps: Gaps;
  readonly #report: Report;
  readonly #channels = new Map<string, string>();

  constructor(truth: Truth, gaps: Gaps, report: Report) {
    this.#truth = truth;
    this.#gaps = gaps;
    this.#report = report;
  }

  take(event: HistoryEvent): void {
    if (event.type === "subscribe") this.#channels.set(event.sub, event.channel);
    else if (event.type === "delivery") {
      this.#see(this.#channels.get(event.sub) ?? "", event.epoch, event.entry, event.sub);
    } else if (event.type === "page") {
      for (const entry of event.entries)
        this.#see(event.channel, event.epoch ?? "", entry, "a page");
      const fault = this.#faultOf(event);
      if (fault !== null) this.#report("R14", `a page of ${event.channel}: ${fault}`);
    }
  }

  #see(channel: string, epoch: string, { offset, id, tag }: Entry, who: string): void {
    const log = this.#truth.find(channel, epoch);
    if (log === undefined) return;
    const there = log.at(offset);
    const where = `${channel} ${epoch} ${offset}`;
    if (there === undefined) {
      this.#report("R5", `${who} has ${tag} at ${where}, where nothing was appended`);
    } else if (there.id !== id) {
      this.#report("R3", `${who} has ${id} at ${where}, and the log ${there.id}`);
    } else if (there.tag !== tag) {
      this.#report("R25", `${who} has ${tag} for ${id}, and the log ${there.tag}`);
    }
  }

  #faultOf({ channel, after, before, entries, more, gap }: PageEvent): string | null {
    const gapFault = gap === null ? null : this.#gaps.faultOf(channel, gap, after === null);
    if (gapFault !== null) return `its gap isn't true: ${gapFault}`;
    const [first] = entries;
    if (first === undefined) return more && after !== null ? "nothing, and more" : null;
    for (const [index, { offset }] of entries.entries()) {
      if (offset !== first.offset + index) return `${offset} is at ${first.offset + index}`;
    }
    if (after !== null) {
      const begins = (gap?.continuesAfter ?? after).offset + 1;
      return first.offset === begins ? null : `it begins at ${first.offset}, not ${begins}`;
    }
    const last = first.offset + entries.length - 1;
    if (before === null || gap !== null || last === before.offset - 1) return null;
    return `it ends at ${last}, before ${before.offset}`;
  }
}
