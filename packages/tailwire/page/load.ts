/** The load: one person publishes many times a second, the other receives, and all is counted. */
import { TailwireError } from "@tailwire/client";
import { Chart } from "./chart.ts";
import type { Tally } from "./counters.ts";
import { count, find, setText } from "./dom.ts";
import type { Journal } from "./journal.ts";
import type { Person } from "./person.ts";
import { Recent } from "./recent.ts";

const RATE_PER_S = 200;
const TICK_MS = 20;
/** A page in the background is called rarely; it mustn't make up for all of that at once. */
const BURST_MAX = 100;
/** A forgotten tab has better things to do. */
const STOP_AFTER_MS = 120_000;
const SAMPLE_MS = 250;
/** Half a minute. */
const CHART_LENGTH = 120;
const LATENCIES = 1_000;

export interface LoadOptions {
  readonly panel: HTMLElement;
  readonly sender: Person;
  readonly receiver: Person;
  readonly channel: string;
  readonly journal: Journal;
}

export class Load {
  readonly #options: LoadOptions;
  readonly #toggle: HTMLButtonElement;
  readonly #cuts: readonly { readonly button: HTMLButtonElement; readonly person: Person }[];
  readonly #chart: Chart;
  readonly #tally: Tally;
  readonly #latencies = new Recent(LATENCIES);
  /** Publications received in each of the last samples: a second of them. */
  readonly #recent: number[] = [];
  #receivedBefore = 0;
  #lastOffset = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: LoadOptions) {
    const { panel, sender, receiver, channel } = options;
    this.#options = options;
    this.#toggle = find(panel, ".toggle", HTMLButtonElement);
    this.#chart = new Chart(find(panel, "canvas", HTMLCanvasElement), {
      length: CHART_LENGTH,
      ceiling: RATE_PER_S * 1.5,
      fromZero: true,
    });
    this.#tally = receiver.follow(channel, "tick", {}, ({ data, position }) => {
      this.#note(position.offset);
      if (typeof data === "number") this.#latencies.add(performance.now() - data);
    }).tally;
    this.#toggle.addEventListener("click", () => {
      if (this.#timer === undefined) this.#start();
      else this.#stop("stopped");
    });
    this.#cuts = [
      { button: find(panel, ".cut-receiver", HTMLButtonElement), person: receiver },
      { button: find(panel, ".cut-sender", HTMLButtonElement), person: sender },
    ];
    for (const { button, person } of this.#cuts) {
      button.addEventListener("click", () => void person.cut());
    }
    setInterval(() => this.#sample(), SAMPLE_MS);
    this.#draw(0);
  }

  /** The last offset in the channel's log, as far as this page knows. */
  get lastOffset(): number {
    return this.#lastOffset;
  }

  #note(offset: number): void {
    this.#lastOffset = Math.max(this.#lastOffset, offset);
  }

  #start(): void {
    find(this.#options.panel, ".hint", HTMLElement).hidden = true;
    const startedAt = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      const elapsedMs = performance.now() - startedAt;
      if (elapsedMs > STOP_AFTER_MS) return this.#stop("stopped by itself, after two minutes");
      const owed = Math.floor((elapsedMs * RATE_PER_S) / 1000) - sent;
      sent += owed;
      for (let index = 0; index < Math.min(owed, BURST_MAX); index += 1) this.#publish();
    }, TICK_MS);
    this.#options.journal.write("page", `load started: ${RATE_PER_S} publications a second`);
  }

  #stop(words: string): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#options.journal.write("page", `load ${words}`);
  }

  #publish(): void {
    const { sender, channel } = this.#options;
    // The data is when it was sent, by the clock of this page, which also receives it.
    sender.publish(channel, "tick", performance.now()).then(
      ({ position }) => {
        this.#note(position.offset);
        this.#tally.expect(position);
      },
      (error: unknown) => {
        if (this.#timer === undefined) return;
        this.#stop(`stopped: ${error instanceof TailwireError ? error.code : "failed"}`);
      },
    );
  }

  #sample(): void {
    const { received } = this.#tally;
    this.#recent.push(received - this.#receivedBefore);
    this.#receivedBefore = received;
    if (this.#recent.length > 1000 / SAMPLE_MS) this.#recent.shift();
    const newest = this.#recent.at(-1) ?? 0;
    // Before the first load there is nothing to draw.
    if (received > 0) this.#chart.push((newest * 1000) / SAMPLE_MS);
    this.#draw(this.#recent.reduce((sum, value) => sum + value, 0));
  }

  #draw(perSecond: number): void {
    const { panel } = this.#options;
    const isRunning = this.#timer !== undefined;
    panel.dataset["running"] = String(isRunning);
    setText(this.#toggle, isRunning ? "Stop" : `Start ${RATE_PER_S}/s`);
    for (const { button, person } of this.#cuts) {
      button.disabled = !isRunning || person.client.status.state !== "connected";
    }
    const show = (name: string, words: string): void =>
      setText(find(panel, `[data-figure="${name}"]`, HTMLElement), words);
    show("rate", count(perSecond));
    show("on-the-way", count(this.#tally.onTheWay));
    show("p50", milliseconds(this.#latencies.percentile(0.5)));
    show("p99", milliseconds(this.#latencies.percentile(0.99)));
  }
}

function milliseconds(value: number | null): string {
  if (value === null) return "–";
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
