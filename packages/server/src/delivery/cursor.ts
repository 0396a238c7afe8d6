/**
 * A cursor: one subscription's place in one channel's log.
 *
 * Live delivery, replay, rewind and catching up are one operation here: read what follows the
 * position, as far as the socket allows. This file doesn't know whether the log is ahead by one
 * or by a million, and nothing else in the server sends publications.
 */
import {
  type CaughtUp,
  type Codec,
  type EpochMessage,
  type GapMessage,
  type Position,
  type SnapshotMessage,
  type Unstamped,
  type Encoded,
} from "@tailwire/protocol";
import type { Channel, Step } from "./channel.ts";
import type { Slice } from "./encoded-tail.ts";
import type { Flush } from "./flush.ts";
import { snapshotMessage } from "./snapshots.ts";

/** Messages of a cursor beside publications. */
export type CursorMessage = Unstamped<CaughtUp | EpochMessage | GapMessage | SnapshotMessage>;

/** Dependencies of a cursor on its connection. */
export interface CursorOwner {
  /** Puts the cursor in line: `serve` follows once the socket allows. */
  mark(cursor: Cursor): void;
  /** How publications are encoded for it. */
  readonly codec: Codec;
  /** Encodes a control message, with an id and a timestamp. */
  encode(message: CursorMessage): Encoded;
  /** Publications are in what is written next. */
  delivers(channel: string, slice: Slice): void;
  /** The subscription can't go on. */
  fail(channel: string, error: unknown): void;
}

/**
 * The next act of a cursor: to look into the log, to wait for a page from before the tail, or for the
 * log to grow; or to send what a page has brought. At the end, nothing any more.
 */
type Next = "look" | "page" | "growth" | "nothing" | Step;

export class Cursor {
  readonly #channel: Channel;
  readonly #owner: CursorOwner;
  /** Shared by all cursors at the same place, since there may be a million. */
  #position: Position;
  #next: Next = "look";
  /** Whether `caughtup` is owed: after a subscribe, and after a gap. */
  #owesCaughtUp = true;
  /** Whether a gap was announced, which comes though the tail may hold what follows [SUB-3]. */
  #owesGap = false;
  /** Whether it stands in its connection's queue. Only the connection touches it. */
  marked = false;

  constructor(channel: Channel, owner: CursorOwner, position: Position) {
    this.#channel = channel;
    this.#owner = owner;
    this.#position = position;
  }

  /** Begins with the gap that the subscribe's answer has announced. */
  beginWith(gap: Promise<Step>): void {
    this.#owesGap = true;
    this.#await(gap);
  }

  get position(): Position {
    return this.#position;
  }

  /** Whether there is something to send. */
  get behind(): boolean {
    if (this.#next !== "look") return typeof this.#next === "object";
    return this.#owesCaughtUp || !this.#channel.endsAt(this.#position);
  }

  /** The log has grown, or goes on under another epoch: looks again. */
  grew(): void {
    if (this.#next === "growth") this.#next = "look";
    if (this.behind) this.mark();
  }

  /** Puts it in line to be served. */
  mark(): void {
    this.#owner.mark(this);
  }

  /**
   * Puts what follows the position into a flush: the place that decides what is sent. There is one gap in
   * it at most, and what follows a gap goes with it, whatever room there is: a cursor that is told gaps
   * and nothing else would never get on.
   */
  serve(flush: Flush): void {
    let hasGap = false;
    while (flush.hasRoom && this.behind) {
      const step = this.#step();
      if (step === null) {
        return this.#await(this.#channel.readAfter(this.#position, this.#owner.codec));
      }
      if (step.kind === "gap" && hasGap) return;
      hasGap ||= step.kind === "gap";
      this.#next = "look";
      this.#send(step, flush);
    }
  }

  /** The next step: from the tail, where it has passed a page that waited; null where it has to be read. */
  #step(): Step | null {
    const held = this.#owesGap ? null : this.#channel.next(this.#position, this.#owner.codec);
    if (held !== null) return held;
    if (typeof this.#next !== "object") return null;
    this.#owesGap = false;
    return this.#next.kind === "gap" ? this.#channel.upToDate(this.#next) : this.#next;
  }

  close(): void {
    this.#next = "nothing";
    this.#channel.leave(this);
  }

  #send(step: Step, flush: Flush): void {
    const channel = this.#channel.name;
    switch (step.kind) {
      case "slice":
        flush.frame(step.frame);
        this.#owner.delivers(channel, step);
        this.#position = step.end;
        return;
      case "gap":
        this.#say(
          flush,
          { type: "gap", channel, from: this.#position, ...step.gap },
          ...(step.snapshot === null ? [] : [snapshotMessage(channel, step.snapshot)]),
        );
        this.#position = step.gap.continuesAfter;
        this.#owesCaughtUp = true;
        return this.#sendFollowing(step.following, flush);
      case "failure":
        return this.#owner.fail(channel, step.error);
      case "epoch":
        this.#position = { ...this.#position, epoch: step.epoch };
        this.#say(flush, { type: "epoch", channel, position: this.#position });
        return;
      case "end":
        // An empty page may have waited for its socket, and the log has grown meanwhile.
        if (this.#channel.goesOnAfter(this.#position)) return;
        this.#next = "growth";
        if (!this.#owesCaughtUp) return;
        this.#owesCaughtUp = false;
        this.#say(flush, { type: "caughtup", channel, position: this.#position });
        return;
      default:
        step satisfies never;
    }
  }

  /** Sends what follows a gap: what the tail has, which may be more by now than was read. */
  #sendFollowing(read: Slice | null, flush: Flush): void {
    const held = this.#channel.next(this.#position, this.#owner.codec);
    if (held?.kind === "slice") this.#send(held, flush);
    else if (read !== null) this.#send(read, flush);
  }

  /** Says something, or two things that nothing can part. */
  #say(flush: Flush, ...messages: readonly CursorMessage[]): void {
    const { codec } = this.#owner;
    flush.say(codec.join(messages.map((message) => this.#owner.encode(message))));
  }

  /** Waits for what lies before the tail; the cursor is back in line when that has come. */
  #await(page: Promise<Step>): void {
    this.#next = "page";
    void page.then((step) => {
      if (this.#next !== "page") return;
      this.#next = step;
      this.mark();
    });
  }
}
