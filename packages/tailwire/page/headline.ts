/** The page's proudest figures, as they are now. It adds nothing up. */
import type { Counters } from "./counters.ts";
import { count, find, setText } from "./dom.ts";

export class Headline {
  readonly #panel: HTMLElement;
  readonly #counters: Counters;

  constructor(panel: HTMLElement, counters: Counters) {
    this.#panel = panel;
    this.#counters = counters;
  }

  draw(): void {
    const { toldMissing, toldUncounted, ...totals } = this.#counters.totals;
    for (const [name, value] of Object.entries(totals)) this.#show(name, count(value));
    // A gap that couldn't count what was lost leaves the sum open.
    this.#show("toldMissing", count(toldMissing) + (toldUncounted === 0 ? "" : " + ?"));
    const spotless = totals.missed === 0 && totals.duplicated === 0;
    this.#panel.dataset["spotless"] = String(spotless);
  }

  #show(name: string, words: string): void {
    setText(find(this.#panel, `[data-figure="${name}"]`, HTMLElement), words);
  }
}
