/** A channel as an application uses it: to follow, and to publish to. Making one sends nothing. */
import { checkCount, checkedPosition, checkedStart, checkWait } from "./support/arguments.ts";
import type { Connection } from "./connection/connection.ts";
import * as CLIENT_LIMITS from "./limits.ts";
import type { Outbox } from "./publishing/outbox.ts";
import { publicationOf } from "./following/publication.ts";
import type { Requests } from "./requests.ts";
import { Subscription } from "./following/subscription.ts";
import type { Page, Publishing, PublishOptions, ReadOptions, SubscribeOptions } from "./types.ts";
import type { WireSubscription } from "./following/wire-subscription.ts";

/** Dependencies of a channel. */
export interface ChannelHost {
  /** Publishes. @throws `closed`, or why the server has closed the connection for good. */
  readonly publish: Outbox["publish"];
  readonly connection: Pick<Connection, "nextId" | "welcome">;
  /** Asks the server. @throws the same. */
  readonly ask: Requests["ask"];
  /** The channel's subscription on the wire, made where there is none. @throws the same. */
  wire(channel: string): WireSubscription;
}

export class Channel {
  /** The full name, with its params in place: `room:7`. */
  readonly name: string;
  readonly #host: ChannelHost;

  constructor(host: ChannelHost, name: string) {
    this.#host = host;
    this.name = name;
  }

  /**
   * Follows the channel. Several local subscriptions share one on the wire.
   *
   * Publications wait until the first iterator or listener is there. A refusal (`forbidden`) is
   * thrown by the iterator, and given to `onEnd` and `ready`.
   *
   * A publication is one object for all of them: treat it and its data as read-only, and copy what
   * is to be changed.
   *
   * @throws `closed` when the client is; `bad_position` or `bad_message` where the start or the
   * signal is none.
   */
  subscribe(options: SubscribeOptions = {}): Subscription {
    const { start = "latest", echo, signal } = options;
    const checked = { start: checkedStart(start), echo, signal };
    checkWait(signal);
    const wire = this.#host.wire(this.name);
    const subscription = new Subscription(wire, checked);
    wire.join(subscription);
    if (signal?.aborted) subscription.end(null);
    return subscription;
  }

  /**
   * Adds a publication to the log, and resolves with where it stands there. Its data is bytes
   * (an ArrayBuffer or any view of one: a subscriber is given a Uint8Array), or a JSON value.
   *
   * Sent again after a reconnect until its fate is known, and in the log once.
   *
   * @throws TailwireError `invalid_data`, saying where, when a part of it would arrive as something
   * else: a Map, NaN, bytes inside an object [ENC-12]; `too_large`; `forbidden`;
   * `indeterminate`, when nobody can know any more; `ttl_expired`; `outbox_full`; `closed`;
   * `bad_message`, when the event's name breaks the grammar (1 to 64 of `A-Z a-z 0-9 _ . : -`) or
   * an option isn't what it should be.
   */
  publish(event: string, data: unknown, options: PublishOptions = {}): Publishing {
    const localId = this.#host.connection.nextId();
    const published = this.#host.publish(this.name, event, data, options, localId);
    return Object.assign(published, { localId });
  }

  /**
   * Reads one page of the log, without following it: what follows `after`, what precedes `before`,
   * or else the newest. It waits for a connection, and asks again when one is lost.
   *
   * @throws TailwireError `forbidden`, `timeout`, `unavailable`, `closed`; `bad_position`, when that
   * is none; `bad_message`, when another option isn't what it should be; the signal's reason.
   */
  async read(options: ReadOptions = {}): Promise<Page> {
    const { after, before, limit: count = CLIENT_LIMITS.pageCount } = options;
    checkCount(count);
    const { position, publications, more, gap } = await this.#host.ask(
      {
        type: "read",
        channel: this.name,
        count,
        after: after === undefined ? after : checkedPosition(after),
        before: before === undefined ? before : checkedPosition(before),
      },
      options,
    );
    return {
      publications: (publications ?? []).map((one) =>
        publicationOf(one, position?.epoch ?? "", this.#host.connection.welcome?.client),
      ),
      more: more ?? false,
      gap: gap ?? null,
    };
  }
}
