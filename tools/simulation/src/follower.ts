/**
 * A follower: records everything that a subscription tells its application, and judges it.
 *
 * Offsets must follow one another without a hole or a repeat, save where a gap says exactly what is
 * missing. It uses nothing but the application's side of a subscription.
 */
import type { Subscription } from "@tailwire/client/core";

export interface Followed {
  readonly epoch: string;
  readonly offset: number;
  readonly id: string;
  readonly data: unknown;
}

/** A gap, as an application is told it. */
type ToldGap = Parameters<Parameters<Subscription["onGap"]>[0]>[0];

export class Follower {
  readonly subscription: Subscription;
  readonly publications: Followed[] = [];
  readonly gaps: ToldGap[] = [];
  /** Broken promises, in words: there should be none. */
  readonly violations: string[] = [];
  caughtUps = 0;
  ended: string | null | undefined;
  #at: { readonly epoch: string; readonly offset: number } | null = null;

  constructor(subscription: Subscription, events: readonly string[] = ["message"]) {
    this.subscription = subscription;
    for (const event of events) {
      subscription.on(event, ({ position, id, data }) => {
        this.#take({ epoch: position.epoch, offset: position.offset, id, data });
      });
    }
    subscription.onGap((gap) => {
      this.gaps.push(gap);
      if (this.#at !== null && this.#at.offset !== gap.from.offset) {
        this.violations.push(`a gap from ${gap.from.offset} at ${this.#at.offset}`);
      }
      this.#at = gap.continuesAfter;
    });
    subscription.onCaughtUp(() => {
      this.caughtUps += 1;
    });
    subscription.onEnd((error) => {
      this.ended = error?.code ?? null;
    });
  }

  get data(): readonly unknown[] {
    return this.publications.map(({ data }) => data);
  }

  #take(publication: Followed): void {
    const at = this.#at ?? this.#start(publication);
    if (publication.epoch !== at.epoch) {
      this.violations.push(`epoch ${publication.epoch} after ${at.epoch}, without a gap`);
    } else if (publication.offset !== at.offset + 1) {
      this.violations.push(`offset ${publication.offset} after ${at.offset}, without a gap`);
    }
    this.#at = publication;
    this.publications.push(publication);
  }

  /** Before the first publication the subscription's own position is where it stands. */
  #start(publication: Followed): { readonly epoch: string; readonly offset: number } {
    const { position } = this.subscription;
    return position ?? { epoch: publication.epoch, offset: publication.offset - 1 };
  }
}
