/** A channel as an application uses it: to follow, and to publish to. Making one sends nothing. */
import type { Outbox } from "./outbox.ts";
import { Subscription } from "./subscription.ts";
import type { Published, PublishOptions, SubscribeOptions } from "./types.ts";
import type { WireSubscription } from "./wire-subscription.ts";

/** What a channel needs of its client. */
export interface ChannelHost {
  readonly outbox: Outbox;
  /** The channel's subscription on the wire, made where there is none. @throws `closed`. */
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
   * What arrives waits until the first iterator or listener is there. A refusal (`forbidden`) is
   * thrown by the iterator, and given to `onEnd` and `ready`.
   *
   * @throws `closed` when the client is.
   */
  subscribe(options: SubscribeOptions = {}): Subscription {
    const wire = this.#host.wire(this.name);
    const subscription = new Subscription(wire, options);
    wire.join(subscription);
    if (options.signal?.aborted === true) subscription.end(null);
    return subscription;
  }

  /**
   * Adds a publication to the log, and resolves with where it stands there.
   *
   * Sent again after a reconnect until its fate is known, and in the log once.
   *
   * @throws TailwireError `invalid_data`, when the data is no JSON value; `too_large`; `forbidden`;
   * `indeterminate`, when nobody can know any more; `ttl_expired`; `outbox_full`; `closed`.
   */
  publish(event: string, data: unknown, options: PublishOptions = {}): Promise<Published> {
    return this.#host.outbox.publish(this.name, event, data, options);
  }
}
