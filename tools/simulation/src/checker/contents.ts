/**
 * Rules about contents: one place has one publication, whoever reads it and how. Rules 3, 5, 25 of
 * the checker.
 */
import type { Entry, HistoryEvent } from "./history.ts";
import type { Truth } from "./truth.ts";
import type { Report } from "./violation.ts";

/** The same for whoever reads a publication. */
const COMPARED = ["tag", "content", "event", "publisher", "timestamp"] as const;

export class Contents {
  readonly #truth: Truth;
  readonly #report: Report;
  /** The channels of subscribers and pages. */
  readonly #channels = new Map<string, string>();

  constructor(truth: Truth, report: Report) {
    this.#truth = truth;
    this.#report = report;
  }

  take(event: HistoryEvent): void {
    if (event.type === "subscribe") this.#channels.set(event.sub, event.channel);
    else if (event.type === "delivery") {
      this.#see(this.#channels.get(event.sub) ?? "", event.epoch, event.entry, event.sub);
    } else if (event.type === "read") this.#channels.set(event.page, event.channel);
    else if (event.type === "page") {
      const channel = this.#channels.get(event.page) ?? "";
      for (const entry of event.entries) this.#see(channel, event.epoch ?? "", entry, event.page);
    }
  }

  #see(channel: string, epoch: string, entry: Entry, who: string): void {
    const { offset, id, tag } = entry;
    const log = this.#truth.find(channel, epoch);
    if (log === undefined) return;
    const there = log.at(offset);
    const where = `${channel} ${epoch} ${offset}`;
    if (there === undefined) {
      this.#report("R5", `${who} has ${tag} at ${where}, where nothing was appended`);
    } else if (there.id !== id) {
      this.#report("R3", `${who} has ${id} at ${where}, and the log ${there.id}`);
    } else {
      for (const field of COMPARED) {
        if (there[field] === entry[field]) continue;
        const fault = `${who} has ${field} ${entry[field]} for ${id}, and the log ${there[field]}`;
        this.#report("R25", fault);
        return;
      }
    }
  }
}
