/**
 * The bubbles on one phone: what is acknowledged in the log's order, then what is still on its way.
 * It knows keys and offsets, and nothing of connections.
 */
import { count, make } from "./dom.ts";

/** Older ones leave the screen. They are in the log. */
const BUBBLES_MAX = 200;
/** How near to the end the reader has to be for the list to follow, in pixels. */
const FOLLOW_PX = 60;

export class Bubbles {
  readonly #list: HTMLElement;
  readonly #pending = new Map<string, HTMLElement>();

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  /** A person's own words, on their way. */
  send(key: string, text: string): void {
    const bubble = makeBubble(text, true);
    mark(bubble, "pending", "waiting");
    this.#pending.set(key, bubble);
    this.#list.append(bubble);
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  /** They are in the log: the answer says so, or they have come out of it before that. */
  acknowledge(key: string, offset: number): void {
    const bubble = this.#pending.get(key);
    if (bubble === undefined) return;
    mark(bubble, "acknowledged", `✓ ${count(offset)}`);
    this.#settle(key, bubble);
  }

  /** They aren't in the log, or nobody knows. */
  fail(key: string, code: string): void {
    const bubble = this.#pending.get(key);
    if (bubble === undefined) return;
    mark(bubble, "failed", code);
    this.#settle(key, bubble);
  }

  /** Words have come out of the log: another's, or one's own, from another tab or an earlier day. */
  arrive(text: string, offset: number, isOwn: boolean): void {
    const bubble = makeBubble(text, isOwn);
    mark(bubble, "acknowledged", isOwn ? `✓ ${count(offset)}` : count(offset));
    this.#place(bubble);
  }

  #settle(key: string, bubble: HTMLElement): void {
    this.#pending.delete(key);
    this.#place(bubble);
  }

  /** Puts a bubble after all that are settled, before those on their way. */
  #place(bubble: HTMLElement): void {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    const follows = scrollHeight - scrollTop - clientHeight < FOLLOW_PX;
    const [next] = this.#pending.values();
    // Moving it would be told again by screen readers, so it stays where it is right already.
    if (!bubble.isConnected || (next !== undefined && isBefore(next, bubble))) {
      this.#list.insertBefore(bubble, next ?? null);
    }
    while (this.#list.childElementCount > BUBBLES_MAX) this.#list.firstElementChild?.remove();
    if (follows) this.#list.scrollTop = this.#list.scrollHeight;
  }
}

function isBefore(one: Node, other: Node): boolean {
  return (one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
}

function makeBubble(text: string, isOwn: boolean): HTMLElement {
  const bubble = make("li", isOwn ? "bubble own" : "bubble");
  bubble.append(make("p", "", text), make("small"));
  return bubble;
}

function mark(
  bubble: HTMLElement,
  state: "pending" | "acknowledged" | "failed",
  words: string,
): void {
  bubble.dataset["state"] = state;
  const small = bubble.querySelector("small");
  if (small === null) return;
  small.textContent = words;
  small.title = state === "acknowledged" ? "acknowledged, at this offset of the log" : "";
}
