/** The list of what just happened, newest first. It is told in words and knows no reasons. */
import { make } from "./dom.ts";

/** Older lines are of no interest. */
const LINES_MAX = 60;

export class Journal {
  readonly #list: HTMLElement;

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  /** Adds a line. The person whom it is about gives it its colour. */
  write(who: string, words: string, kind: "plain" | "bad" | "good" = "plain"): void {
    const line = make("li");
    line.dataset["kind"] = kind;
    const at = new Date();
    const time = make("time", "", clockTime(at));
    time.dateTime = at.toISOString();
    const name = make("b", "", who);
    name.dataset["who"] = who;
    line.append(time, name, make("span", "", words));
    this.#list.prepend(line);
    while (this.#list.childElementCount > LINES_MAX) this.#list.lastElementChild?.remove();
  }
}

function clockTime(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const tenths = Math.floor(at.getMilliseconds() / 100);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${tenths}`;
}
