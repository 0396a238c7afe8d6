/** One person's phone: the conversation, how the connection is, and what a visitor can do to it. */
import { type Publication, type Subscription, TailwireError } from "@tailwire/client";
import { Bubbles } from "./bubbles.ts";
import { count, find, fromTemplate, setText } from "./dom.ts";
import type { Person } from "./person.ts";
import { noticeWords, spokenWords, statusWords } from "./status-words.ts";

/** How far back a page begins that opens or reopens a conversation. */
const REWIND = 100;

/** The data of a publication to the room. The key finds the bubble again that shows it as on its way. */
interface Said {
  readonly key: string;
  readonly who: string;
  readonly text: string;
}

export class Phone {
  readonly element = fromTemplate("#phone");
  readonly #person: Person;
  readonly #room: string;
  readonly #subscription: Subscription;
  readonly #bubbles = new Bubbles(find(this.element, ".bubbles", HTMLElement));
  readonly #status = find(this.element, ".status", HTMLElement);
  readonly #spoken = find(this.element, ".spoken-status", HTMLElement);
  readonly #place = find(this.element, ".place", HTMLElement);
  readonly #notice = find(this.element, ".notice", HTMLElement);
  readonly #words = find(this.element, ".notice .words", HTMLElement);
  readonly #retry = find(this.element, ".retry", HTMLButtonElement);
  readonly #cut = find(this.element, ".cut", HTMLButtonElement);
  readonly #away = find(this.element, ".away", HTMLButtonElement);
  #said = 0;

  /** `onTyping` is called when a visitor begins to take over. */
  constructor(person: Person, room: string, onTyping: () => void) {
    this.#person = person;
    this.#room = room;
    this.#nameEverything();
    this.#listen(onTyping);
    const start = { rewind: { count: REWIND } };
    this.#subscription = person.follow(room, "said", { start }, (publication) =>
      this.#heard(publication),
    ).subscription;
    person.client.onStatus(() => this.draw());
    this.draw();
  }

  /** Resolves when the conversation so far is here, with whether there is one. */
  hasConversation(): Promise<boolean> {
    return new Promise((resolve) => {
      const stop = this.#subscription.onCaughtUp(() => {
        stop();
        resolve((this.#subscription.position?.offset ?? 0) > 0);
      });
    });
  }

  /** Publishes a text as this person. */
  say(text: string): void {
    this.#said += 1;
    const key = `${this.#person.user}.${this.#said}`;
    this.#bubbles.send(key, text);
    const said: Said = { key, who: this.#person.name, text };
    this.#person.publish(this.#room, "said", said).then(
      ({ position }) => this.#bubbles.acknowledge(key, position.offset),
      (error: unknown) => {
        this.#bubbles.fail(key, error instanceof TailwireError ? error.code : "failed");
      },
    );
  }

  /** Shows the status as of now. To be called often, because of the countdown. */
  draw(): void {
    const { status } = this.#person.client;
    const { state, retryAt } = status;
    this.element.dataset["state"] = state;
    setText(this.#status, statusWords(status));
    setText(this.#spoken, `${this.#person.name} is ${spokenWords(status)}`);
    const words = noticeWords(status, Date.now());
    this.#notice.hidden = words === null;
    setText(this.#words, words ?? "");
    const offset = this.#subscription.position?.offset;
    setText(this.#place, offset === undefined ? "" : `offset ${count(offset)}`);
    this.#retry.hidden = retryAt === null;
    this.#cut.disabled = state !== "connected";
    this.#away.disabled = state === "closed";
    setText(this.#away, state === "offline" ? "Go online" : "Go offline");
  }

  #nameEverything(): void {
    const { name } = this.#person;
    const id = (part: string): string => `${name.toLowerCase()}-${part}`;
    this.element.dataset["who"] = name;
    this.element.setAttribute("aria-labelledby", id("name"));
    const title = find(this.element, "h2", HTMLElement);
    title.id = id("name");
    title.textContent = name;
    find(this.element, ".avatar", HTMLElement).textContent = name.slice(0, 1);
    find(this.element, ".bubbles", HTMLElement).ariaLabel = `What ${name} sees`;
    const input = find(this.element, "input", HTMLInputElement);
    input.placeholder = `Type as ${name}`;
    input.ariaLabel = `Type as ${name}`;
    this.#cut.ariaLabel = `Cut ${name}'s connection`;
  }

  #listen(onTyping: () => void): void {
    const { client } = this.#person;
    const input = find(this.element, "input", HTMLInputElement);
    input.addEventListener("input", onTyping);
    find(this.element, "form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      const text = input.value.trim();
      if (text === "") return;
      onTyping();
      input.value = "";
      this.say(text);
    });
    this.#retry.addEventListener("click", () => client.retryNow());
    this.#cut.addEventListener("click", () => void this.#person.cut());
    this.#away.addEventListener("click", () => {
      if (client.status.state === "offline") client.goOnline();
      else client.goOffline();
    });
  }

  #heard({ data, position, publisher }: Publication): void {
    if (!isSaid(data)) return;
    // The bubble of what this very page has sent is there already.
    if (publisher === this.#person.client.id) this.#bubbles.acknowledge(data.key, position.offset);
    else this.#bubbles.arrive(data.text, position.offset, data.who === this.#person.name);
  }
}

/** Rooms are open, so that anything may be in them. */
function isSaid(data: unknown): data is Said {
  if (typeof data !== "object" || data === null) return false;
  const { key, who, text } = data as Partial<Record<keyof Said, unknown>>;
  return typeof key === "string" && typeof who === "string" && typeof text === "string";
}
