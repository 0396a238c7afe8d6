/**
 * The rule about isolation: while somebody is a burden, everybody else is given what the server
 * publishes as fast as ever, each subscriber in its own channel. Rule 23 of the checker.
 */
import type { Entry, HistoryEvent, PublishingEvent, RunEvent } from "./history.ts";
import type { Publications } from "./publishing.ts";
import type { Report } from "./violation.ts";

type Publish = Extract<PublishingEvent, { type: "publish" }>;

interface Subscriber {
  readonly sub: string;
  readonly client: string;
  readonly channel: string;
  hasStarted: boolean;
  /** Entries that it is to be given, in the log's order. */
  waiting: { readonly epoch: string; readonly entry: Entry; readonly publish: Publish }[];
}

export class Isolation {
  readonly #publications: Publications;
  readonly #report: Report;
  /** All that aren't over. */
  readonly #subscribers = new Map<string, Subscriber>();
  #burden: Extract<RunEvent, { type: "burden" }> | null = null;

  constructor(publications: Publications, report: Report) {
    this.#publications = publications;
    this.#report = report;
  }

  take(event: HistoryEvent): void {
    switch (event.type) {
      case "subscribe": {
        const { sub, client, channel } = event;
        this.#subscribers.set(sub, { sub, client, channel, hasStarted: false, waiting: [] });
        return;
      }
      case "started": {
        const subscriber = this.#subscribers.get(event.sub);
        if (subscriber !== undefined) subscriber.hasStarted = true;
        return;
      }
      case "ended":
        this.#subscribers.delete(event.sub);
        return;
      case "burden":
        this.#burden = event;
        return;
      case "relief":
        return this.#relieve();
      case "appended":
        return this.#appended(event.channel, event.epoch, event.entry);
      case "delivery":
        return this.#reach(event.sub, event.epoch, event.entry.offset, event.at);
      case "gap":
        return this.#reach(
          event.sub,
          event.continuesAfter.epoch,
          event.continuesAfter.offset,
          event.at,
        );
      case "snapshot":
        return this.#reach(event.sub, event.position.epoch, event.position.offset, event.at);
      default:
    }
  }

  #appended(channel: string, epoch: string, entry: Entry): void {
    if (this.#burden === null || this.#burden.channels.includes(channel)) return;
    const publish = this.#publications.get(entry.tag);
    if (publish === undefined || publish.as !== null) return;
    for (const one of this.#subscribers.values()) {
      if (one.channel !== channel || !one.hasStarted || one.client === this.#burden.client)
        continue;
      one.waiting.push({ epoch, entry, publish });
    }
  }

  /** A subscriber has come to a place: nothing up to there is to be waited for. */
  #reach(sub: string, epoch: string, offset: number, at: number): void {
    const subscriber = this.#subscribers.get(sub);
    if (subscriber === undefined || this.#burden === null) return;
    const { boundMs } = this.#burden;
    const isPast = (one: { epoch: string; entry: Entry }): boolean =>
      one.epoch !== epoch || one.entry.offset <= offset;
    for (const { publish } of subscriber.waiting.filter(isPast)) {
      const ms = at - publish.at;
      if (ms > boundMs) this.#report("R23", `${sub} waited for ${publish.tag} for ${ms} ms`);
    }
    subscriber.waiting = subscriber.waiting.filter((one) => !isPast(one));
  }

  #relieve(): void {
    this.#burden = null;
    for (const subscriber of this.#subscribers.values()) {
      const [first] = subscriber.waiting;
      subscriber.waiting = [];
      if (first === undefined) continue;
      this.#report("R23", `${subscriber.sub} isn't given ${first.publish.tag} before the others`);
    }
  }
}
