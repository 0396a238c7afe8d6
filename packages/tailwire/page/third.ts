/**
 * The third reader, a Node client beside the server: how far behind it is, and a button that makes it
 * slow. The reader says itself how much it has read; how long the log is, this page knows from its load.
 */
import { TailwireError } from "@tailwire/client";
import type { Counters } from "./counters.ts";
import { count, find, setText } from "./dom.ts";
import type { Journal } from "./journal.ts";
import type { Person } from "./person.ts";

/** Fewer are on their way in any case. */
const LAGGING = 50;
/** A sample older than this says nothing of now, in milliseconds. */
const FRESH_MS = 300;
/** The bar's full length is the first of these that the lag hasn't passed. */
const SCALES = [1_000, 2_000, 5_000, 10_000, 20_000, 50_000];

export interface ThirdOptions {
  readonly panel: HTMLElement;
  /** The person who asks for the reader, and hears of it. */
  readonly viewer: Person;
  /** The channel that it reads. */
  readonly channel: string;
  readonly lastOffset: () => number;
  readonly counters: Counters;
  readonly journal: Journal;
}

/** As the server publishes it. */
interface Sample {
  readonly slow: boolean;
  readonly offset: number;
  readonly missed: number;
  readonly duplicated: number;
  readonly toldMissing: number;
}

export class Third {
  readonly #options: ThirdOptions;
  readonly #status: HTMLElement;
  readonly #figure: HTMLElement;
  readonly #bar: HTMLElement;
  readonly #fill: HTMLElement;
  readonly #scale: HTMLElement;
  readonly #pace: HTMLButtonElement;
  #wanted = false;
  #sample: Sample | null = null;
  /** How far it was behind when it said so, and when that was. */
  #told = { lag: 0, at: 0 };
  /** The most it was behind since it last had caught up. */
  #worst = 0;
  /** When it was let go, by this page's clock; null when that is over. */
  #freedAt: number | null = null;

  constructor(options: ThirdOptions) {
    const { panel, viewer } = options;
    this.#options = options;
    this.#status = find(panel, ".status", HTMLElement);
    this.#figure = find(panel, '[data-figure="lag"]', HTMLElement);
    this.#bar = find(panel, ".bar", HTMLElement);
    this.#fill = find(panel, ".bar > div", HTMLElement);
    this.#scale = find(panel, ".scale", HTMLElement);
    this.#pace = find(panel, ".pace", HTMLButtonElement);
    this.#pace.addEventListener("click", () => this.#toggle());
    const start = { rewind: { count: 1 } };
    viewer.follow(`demo:reader-of-${viewer.user}`, "sample", { start }, ({ data }) => {
      if (isSample(data)) this.#heard(data);
    });
    // A server that was away, or a page that was, may have no reader any more.
    viewer.client.onStatus(({ state }) => {
      if (state === "connected") void this.#ask();
    });
  }

  /** Shows the lag as of now. */
  draw(): void {
    const { panel } = this.#options;
    const lag = this.#lag;
    this.#worst = Math.max(this.#worst, lag);
    const scale = SCALES.find((scale) => scale >= this.#worst) ?? this.#worst;
    panel.dataset["slow"] = String(this.#wanted);
    panel.dataset["lagging"] = String(lag >= LAGGING);
    setText(this.#figure, count(lag));
    setText(this.#scale, count(scale));
    setText(this.#pace, this.#wanted ? "Let Joan read" : "Make Joan slow");
    this.#fill.style.setProperty("--share", String(lag / scale));
    this.#bar.ariaValueMax = String(scale);
    this.#bar.ariaValueNow = String(lag);
    this.#pace.disabled = this.#sample === null;
    setText(this.#status, this.#statusWords(lag));
    if (lag < LAGGING && !this.#wanted) this.#caughtUp();
  }

  get #lag(): number {
    const { lag, at } = this.#told;
    return performance.now() - at < FRESH_MS ? lag : this.#lagOf(this.#sample);
  }

  #lagOf(sample: Sample | null): number {
    return sample === null ? 0 : Math.max(0, this.#options.lastOffset() - sample.offset);
  }

  #statusWords(lag: number): string {
    if (this.#sample === null) return "not here yet";
    if (this.#wanted) return lag < LAGGING ? "slow: start the load" : "slow";
    return lag < LAGGING ? "up to date" : "catching up";
  }

  #toggle(): void {
    const { journal } = this.#options;
    this.#wanted = !this.#wanted;
    journal.write("Joan", this.#wanted ? "is slow: her socket is hardly read" : "reads again");
    this.#freedAt = this.#wanted ? null : performance.now();
    void this.#ask();
    this.draw();
  }

  #caughtUp(): void {
    const { journal } = this.#options;
    if (this.#freedAt !== null && this.#worst >= LAGGING) {
      const seconds = ((performance.now() - this.#freedAt) / 1_000).toFixed(1);
      const { missed = 0, duplicated = 0 } = this.#sample ?? {};
      journal.write(
        "Joan",
        `caught up with ${count(this.#worst)} in ${seconds} s: ${missed} missed, ${duplicated} duplicated`,
        missed + duplicated === 0 ? "good" : "bad",
      );
    }
    this.#freedAt = null;
    this.#worst = 0;
  }

  #heard(sample: Sample): void {
    const { counters, journal } = this.#options;
    const told = sample.toldMissing - (this.#sample?.toldMissing ?? 0);
    if (told > 0) journal.write("Joan", `was told of a gap: ${count(told)} lost`, "bad");
    this.#sample = sample;
    this.#told = { lag: this.#lagOf(sample), at: performance.now() };
    counters.elsewhere = sample;
  }

  async #ask(): Promise<void> {
    const { viewer, channel, journal } = this.#options;
    try {
      await viewer.client.request("third-reader", { channel, slow: this.#wanted });
    } catch (error) {
      const code = error instanceof TailwireError ? error.code : "failed";
      journal.write("Joan", `couldn't be reached: ${code}`, "bad");
    }
  }
}

function isSample(data: unknown): data is Sample {
  if (typeof data !== "object" || data === null) return false;
  const { slow, ...figures } = data as Partial<Record<keyof Sample, unknown>>;
  const { offset, missed, duplicated, toldMissing } = figures;
  return (
    typeof slow === "boolean" &&
    [offset, missed, duplicated, toldMissing].every((figure) => typeof figure === "number")
  );
}
