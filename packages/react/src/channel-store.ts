/**
 * A channel as components see it: one subscription, the newest publications, and what this client has
 * published meanwhile. It doesn't know React, nor how many components there are.
 */
import type {
  Channel,
  Client,
  Gap,
  Position,
  Publication,
  Publishing,
  PublishOptions,
  Start,
  Subscription,
  TailwireError,
} from "@tailwire/client";
import { Observed } from "./observed.ts";
import { OwnPublications } from "./own-publications.ts";
import type { AnyParams, ChannelState, ShownPublished } from "./types.ts";

/** Publications of a page, where nobody says otherwise. */
const OLDER_COUNT = 50;

/** Which channel, and which part of it. */
export interface Place {
  readonly client: Client;
  readonly pattern: string;
  readonly params: AnyParams | undefined;
  readonly start: Start;
  readonly limit: number;
}

/** A channel before anything has come of it, and on a server. */
export const NOTHING_YET: ChannelState = {
  publications: [],
  gaps: [],
  caughtUp: false,
  ended: false,
  error: null,
  hasOlder: true,
  isReadingOlder: false,
};

/** @throws `bad_channel`. */
export function channelOf({
  client,
  pattern,
  params = {},
}: Omit<Place, "start" | "limit">): Channel {
  // The hook has checked the params' type.
  return client.channel<string>(pattern, ...([params] as unknown as []));
}

export class ChannelStore {
  readonly #place: Place;
  readonly #observed = new Observed(NOTHING_YET);
  readonly get = this.#observed.get;
  readonly listen = this.#observed.listen;
  /** In the log's order, the newest last. */
  #logged: ShownPublished[] = [];
  readonly #own = new OwnPublications();
  #gaps: readonly Gap[] = [];
  #limit: number;
  #hasOlder = true;
  /** Null where the subscription was refused at once. */
  readonly #subscription: Subscription | null;
  #reading: Promise<void> | null = null;

  constructor(place: Place) {
    this.#place = place;
    this.#limit = place.limit;
    this.#subscription = this.#subscribe();
  }

  close(): void {
    void this.#subscription?.close();
  }

  /** Publishes, and shows it. */
  publish(event: string, data: unknown, options: PublishOptions = {}): Publishing {
    const publishing = channelOf(this.#place).publish(event, data, options);
    const { localId } = publishing;
    this.#own.add(localId, event, data, this.#limit);
    this.#show();
    publishing.then(
      ({ position }) => {
        const isBefore = covers(this.#subscription?.position, position);
        this.#own.published(localId, position, this.#place.client.id, isBefore);
        this.#show();
      },
      (error: TailwireError) => {
        const remove = (): void => {
          this.#own.remove(localId);
          this.#show();
        };
        const retry = (): void => {
          this.#own.remove(localId);
          void this.publish(event, data, options);
        };
        if (options.signal?.aborted === true) return remove();
        this.#own.refused(localId, error, { remove, retry });
        this.#show();
      },
    );
    return publishing;
  }

  /** Reads a page of what lies before the first. */
  older(count = OLDER_COUNT): Promise<void> {
    this.#reading ??= this.#read(count).finally(() => {
      this.#reading = null;
      this.#show({ isReadingOlder: false });
    });
    return this.#reading;
  }

  #subscribe(): Subscription | null {
    try {
      const subscription = channelOf(this.#place).subscribe({ start: this.#place.start });
      subscription.onGap((gap) => this.#missed(gap));
      subscription.onCaughtUp(() => this.#show({ caughtUp: true }));
      void this.#follow(subscription);
      return subscription;
    } catch (error) {
      this.#show({ ended: true, error: error as TailwireError });
      return null;
    }
  }

  async #follow(subscription: Subscription): Promise<void> {
    try {
      for await (const publication of subscription) {
        const shown = shownOf(publication);
        this.#own.absorb(shown);
        this.#logged.push(shown);
        this.#trim();
        // A batch is shown at once.
        if (subscription.waiting === 0) this.#show();
      }
      this.#show({ ended: true });
    } catch (error) {
      this.#show({ ended: true, error: error as TailwireError });
    }
  }

  #trim(): void {
    const excess = this.#logged.length - this.#limit;
    // A page is put before the first, which has to stay for as long as it is read.
    if (this.#reading || excess <= 0) return;
    this.#logged.splice(0, excess);
    this.#hasOlder = true;
  }

  #missed(gap: Gap): void {
    const { reason, from, continuesAfter } = gap;
    // A log that was made anew counts from 0; any other has withdrawn whatever it continues before.
    this.#logged = this.#logged.filter(
      ({ position: { epoch, offset } }) =>
        reason === "epoch" || epoch !== from.epoch || offset <= continuesAfter.offset,
    );
    this.#own.skip(gap);
    this.#gaps = [...this.#gaps, gap].slice(-this.#limit);
    this.#show({ caughtUp: false });
  }

  async #read(limit: number): Promise<void> {
    const subscription = this.#subscription;
    if (!subscription) throw this.get().error as TailwireError;
    this.#show({ isReadingOlder: true });
    await subscription.ready;
    const before = this.#logged[0]?.position;
    const began = subscription.position;
    const page = await channelOf(this.#place).read({ before, limit });
    const older = page.publications
      // The newest page may have what the subscription is about to bring.
      .filter(({ position }) => before !== undefined || covers(began, position))
      .map(shownOf);
    for (const one of older) this.#own.absorb(one);
    this.#logged = [...older, ...this.#logged];
    this.#limit += older.length;
    if (page.gap) this.#gaps = [page.gap, ...this.#gaps];
    this.#hasOlder = page.more;
  }

  #show(part: Partial<ChannelState> = {}): void {
    const before = this.get().publications;
    const all = [...this.#own.listed(true), ...this.#logged, ...this.#own.listed(false)];
    const isAsBefore =
      all.length === before.length && all.every((one, index) => one === before[index]);
    const publications = isAsBefore ? before : all;
    this.#observed.change({ publications, gaps: this.#gaps, hasOlder: this.#hasOlder, ...part });
  }
}

function shownOf(publication: Publication): ShownPublished {
  return { ...publication, state: "published", key: publication.localId ?? publication.id };
}

/** Whether a position lies at another, or before it in the same log. */
function covers(at: Position | null | undefined, { epoch, offset }: Position): boolean {
  return at?.epoch === epoch && offset <= at.offset;
}
