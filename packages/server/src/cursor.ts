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
  type Wire,
} from "@tailwire/protocol";
import type { Channel, Step } from "./channel.ts";
import type { Slice } from "./encoded-tail.ts";
import type { Flush } from "./flush.ts";
import type { Unstamped } from "./output.ts";
import { snapshotMessage } from "./snapshots.ts";

/** What a cursor says beside publications. */
export type CursorMessage = Unstamped<CaughtUp | EpochMessage | GapMessage | SnapshotMessage>;

/** What a cursor needs of its connection. */
export interface CursorOwner {
  /** Puts the cursor in line: `serve` follows once the socket allows. */
  mark(cursor: Cursor): void;
  /** How publications are encoded for it. */
  readonly codec: Codec;
  /** Encodes a control message, with an id and a timestamp. */
  encode(message: CursorMessage): Wire;
  /** Publications are in what is written next. */
  delivers(channel: string, slice: Slice): void;
  /** The subscription can't go on. */
  fail(channel: string, error: unknown): void;
}

export class Cursor {
  readonly #channel: Channel;
  readonly #owner: CursorOwner;
  #position: Position;
  /** Whether `caughtup` is owed: after a subscribe, and after a gap. */
  #owesCaughtUp = true;
  /** What a read from before the tail has brought, until it is sent. */
  #read: Step | null = null;
  #reading = false;
  /** Whether there was nothing more when it looked last. Growth of the log resets it. */
  #atEnd = false;
  #closed = false;
  /** Whether it stands in its connection's queue. Only the connection touches it. */
  marked = false;

  constructor(channel: Channel, owner: CursorOwner, position: Position) {
    this.#channel = channel;
    this.#owner = owner;
    this.#position = position;
  }

  get position(): Position {
    return this.#position;
  }

  /** Whether there is something to send. */
  get behind(): boolean {
    if (this.#closed || this.#reading || this.#atEnd) return false;
    return this.#owesCaughtUp || this.#read !== null || !this.#channel.endsAt(this.#position);
  }

  /** The log has grown, or goes on under another epoch: looks again. */
  grew(): void {
    this.#atEnd = false;
    if (this.behind) this.mark();
  }

  /** Puts it in line to be served. */
  mark(): void {
    this.#owner.mark(this);
  }

  /** Puts what follows the position into a flush: the place that decides what is sent. */
  serve(flush: Flush): void {
    while (flush.hasRoom && this.behind) {
      const step = this.#read ?? this.#channel.next(this.#position, this.#owner.codec);
      this.#read = null;
      if (step === null) this.#readPage();
      else this.#send(step, flush);
    }
  }

  close(): void {
    this.#closed = true;
    this.#channel.leave(this);
  }

  #send(step: Step, flush: Flush): void {
    const channel = this.#channel.name;
    switch (step.kind) {
      case "slice": {
        const { last } = step.slice;
        flush.frame(step.slice.frame);
        this.#owner.delivers(channel, step.slice);
        this.#position = { epoch: this.#position.epoch, offset: last.offset, id: last.id };
        return;
      }
      case "gap":
        this.#say(
          flush,
          { type: "gap", channel, from: this.#position, ...step.gap },
          ...(step.snapshot === null ? [] : [snapshotMessage(channel, step.snapshot)]),
        );
        this.#position = step.gap.continuesAfter;
        this.#owesCaughtUp = true;
        return;
      case "failure":
        return this.#owner.fail(channel, step.error);
      case "epoch":
        this.#position = { ...this.#position, epoch: step.epoch };
        this.#say(flush, { type: "epoch", channel, position: this.#position });
        return;
      case "end":
        this.#atEnd = true;
        if (!this.#owesCaughtUp) return;
        this.#owesCaughtUp = false;
        this.#say(flush, { type: "caughtup", channel, position: this.#position });
        return;
      default:
        step satisfies never;
    }
  }

  /** Says something, or two things that nothing can part. */
  #say(flush: Flush, ...messages: readonly CursorMessage[]): void {
    const { codec } = this.#owner;
    flush.say(codec.join(messages.map((message) => this.#owner.encode(message))));
  }

  /** Reads on from before the tail; the cursor is back in line when that has come. */
  #readPage(): void {
    this.#reading = true;
    void this.#channel.readAfter(this.#position, this.#owner.codec).then((step) => {
      this.#reading = false;
      this.#read = step;
      if (!this.#closed) this.mark();
    });
  }
}
