/**
 * A person: a client of its own, with a socket of its own, and an account of what it received.
 *
 * It watches its subscriptions through losses, and tells the journal what became of them. It
 * doesn't know how anything looks.
 */
import {
  type Client,
  type ConnectionStatus,
  createClient,
  type Publication,
  type Published,
  type SubscribeOptions,
  type Subscription,
} from "@tailwire/client";
import { command } from "./command.ts";
import type { Counters, Tally } from "./counters.ts";
import { count } from "./dom.ts";
import type { Journal } from "./journal.ts";
import { changeWords } from "./status-words.ts";

export type Name = "Ada" | "Grace" | "page";

/** Dependencies that the persons of one page share. */
export interface Stage {
  readonly websocket: string;
  /** Keeps this page's users and channels apart from those of other tabs. */
  readonly tag: string;
  readonly counters: Counters;
  readonly journal: Journal;
}

export class Person {
  readonly name: Name;
  /** The server's id of them, which is also their token. */
  readonly user: string;
  readonly client: Client;
  readonly #stage: Stage;
  #status: ConnectionStatus;

  constructor(name: Name, stage: Stage) {
    this.name = name;
    this.user = `${name}-${stage.tag}`.toLowerCase();
    this.#stage = stage;
    this.client = createClient(stage.websocket, { getToken: () => this.user });
    this.#status = this.client.status;
    this.client.onStatus((status) => this.#changed(status));
    this.client.onError(({ message }) => this.#write(message, "bad"));
  }

  /** Publishes, and counts. */
  async publish(channel: string, event: string, data: unknown): Promise<Published> {
    const { counters } = this.#stage;
    counters.sent += 1;
    const published = await this.client.channel(channel).publish(event, data);
    counters.acknowledged += 1;
    return published;
  }

  /** Follows a channel, and keeps account of it. */
  follow(
    channel: string,
    event: string,
    options: SubscribeOptions,
    handle: (publication: Publication) => void,
  ): { readonly subscription: Subscription; readonly tally: Tally } {
    const tally = this.#stage.counters.tally();
    const subscription = this.client.channel(channel).subscribe(options);
    subscription.on(event, (publication) => {
      // Until the first one is handled, this is where the server has put the subscription.
      if (subscription.position !== null) tally.begin(subscription.position);
      tally.receive(publication.id, publication.position);
      handle(publication);
    });
    subscription.onGap((gap) => {
      tally.tell(gap);
      const lost = gap.lost === null ? "an unknown number" : count(gap.lost);
      this.#write(
        `was told of a gap in ${shortName(channel)} (${gap.reason}): ${lost} lost`,
        "bad",
      );
    });
    subscription.onEnd((error) => {
      if (error !== null) this.#write(`can't follow ${channel}: ${error.code}`, "bad");
    });
    this.#watch(channel, subscription, tally);
    return { subscription, tally };
  }

  /** Has the server destroy this person's sockets. */
  async cut(): Promise<void> {
    this.#write("cut: the server resets the socket, mid-sentence");
    const failure = await command(`cut?user=${encodeURIComponent(this.user)}`);
    if (failure !== null) this.#write(`couldn't be cut: ${failure}`, "bad");
  }

  /** After each loss, says from where a subscription went on, and what it caught up with. */
  #watch(channel: string, subscription: Subscription, tally: Tally): void {
    let lost: { offset: number; received: number; missed: number; duplicated: number } | null =
      null;
    this.client.onStatus(({ state }) => {
      const { received, missed, duplicated } = tally;
      if (lost !== null || (state !== "reconnecting" && state !== "offline")) return;
      if (subscription.position === null) return;
      lost = { offset: subscription.position.offset, received, missed, duplicated };
    });
    let from = "";
    subscription.onGap(({ continuesAfter }) => {
      from = `after the gap, from offset ${count(continuesAfter.offset)}`;
    });
    subscription.onCaughtUp(() => {
      if (lost === null) return;
      if (from === "") from = `from offset ${count(lost.offset)}`;
      const caughtUp = tally.received - lost.received;
      const missed = tally.missed - lost.missed;
      const duplicated = tally.duplicated - lost.duplicated;
      const what =
        caughtUp + missed === 0
          ? "nothing new there"
          : `${count(caughtUp)} caught up, ${missed} missed, ${duplicated} duplicated`;
      const words = `resumed ${shortName(channel)} ${from}: ${what}`;
      lost = null;
      from = "";
      // Both may come at once; that the connection is back is told first.
      queueMicrotask(() => this.#write(words, missed + duplicated === 0 ? "good" : "bad"));
    });
  }

  #changed(status: ConnectionStatus): void {
    const words = changeWords(this.#status, status, Date.now());
    this.#status = status;
    if (words !== null) this.#write(words);
  }

  #write(words: string, kind: "plain" | "bad" | "good" = "plain"): void {
    this.#stage.journal.write(this.name, words, kind);
  }
}

/** The channel without this page's tag: `room`, `load`, `machine`. */
function shortName(channel: string): string {
  return /^(?:demo:)?([a-z]+)/.exec(channel)?.[1] ?? channel;
}
