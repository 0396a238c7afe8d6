/**
 * The outbox: publications that aren't acknowledged yet, in the order in which they were made.
 *
 * After a reconnect they are sent again, in order, with the same ids, for as long as the server is
 * sure to recognise them; past that the truth is that nobody knows. It doesn't know sockets.
 */
import {
  type Ack,
  type ClientCodec,
  type Clock,
  carrying,
  type Payload,
  payloadBytes,
  payloadOf,
  type Position,
  TailwireError,
  localError,
  type Encoded,
  encodedBytes,
} from "@tailwire/protocol";
import { onAbort, throwIfAborted } from "../support/abort.ts";
import { checkName, checkWait } from "../support/arguments.ts";
import { refusalMs } from "../connection/backoff.ts";
import type { Blame } from "../connection/closes.ts";
import type { Connection } from "../connection/connection.ts";
import * as CLIENT_LIMITS from "../limits.ts";
import { tooLargeError } from "../connection/link.ts";
import { ENTRY_STATES, type EntryEvent } from "./entry-states.ts";
import { Machine } from "../support/machine.ts";
import type { Entry, FirstSend, Moment, Queue } from "./outbox-entry.ts";
import type { Published, PublishOptions } from "../types.ts";

/** Closes after which what was on each of the connections is sent alone. */
const BLAMED_MAX = 2;

/** The connection that it sends on. */
type Way = Pick<
  Connection,
  "answers" | "codec" | "isOpen" | "limits" | "nextId" | "scope" | "send" | "use"
>;

export class Outbox {
  readonly #clock: Clock;
  readonly #connection: Way;
  readonly #changed: () => void;
  /** By id. A map keeps the order in which they were made. */
  readonly #entries = new Map<string, Entry>();
  readonly #queues = new Map<string, Queue>();
  /** The newest known epoch of channels that were published to or followed. */
  readonly #epochs = new Map<string, string>();
  #length = 0;
  /** Publications so far. */
  #sequence = 0;
  /** Entries that may be why connections are closed. */
  #suspects = 0;
  /** Whether they go one by one: until the last suspect has left, and then all others may. */
  #oneByOne = false;

  constructor(clock: Clock, connection: Way, changed: () => void) {
    this.#clock = clock;
    this.#connection = connection;
    this.#changed = changed;
  }

  /** Publications that aren't acknowledged. */
  get size(): number {
    return this.#entries.size;
  }

  /** Adds a publication. See `Channel.publish` for what it throws. */
  publish(
    channel: string,
    event: string,
    value: unknown,
    { signal, ttlMs = Infinity }: PublishOptions,
  ): Promise<Published> {
    return new Promise((resolve, reject) => {
      checkName(event);
      checkWait(signal, ttlMs);
      throwIfAborted(signal);
      const data = payloadOf(value);
      this.#makeRoom(data);
      const entry: Entry = {
        id: this.#connection.nextId(),
        sequence: (this.#sequence += 1),
        queue: this.#queues.get(channel) ?? { channel, entries: [], next: 0, held: null },
        event,
        data,
        resolve,
        reject,
        made: this.#now(),
        ttlMs,
        way: new Machine(ENTRY_STATES, "unsent"),
        underWay: false,
        refusals: 0,
        blamed: 0,
        first: null,
      };
      const tooLarge = this.#tooLarge(entry);
      if (tooLarge) throw tooLarge;
      this.#entries.set(entry.id, entry);
      entry.queue.entries.push(entry);
      this.#queues.set(channel, entry.queue);
      this.#length += payloadBytes(data);
      if (signal) this.#listen(signal, entry);
      if (ttlMs !== Infinity) this.#watchAge(entry);
      this.#connection.use();
      this.#sendNext(entry.queue);
      this.#changed();
    });
  }

  /** Notes a channel's epoch, for publications that are sent from now on. */
  noteEpoch(channel: string, epoch: string): void {
    this.#epochs.set(channel, epoch);
  }

  /** A new connection: everything is sent again, in order, the oldest first. */
  opened(): void {
    // Here and below, nobody is called who could add more: what is settled is told later.
    for (const entry of this.#entries.values()) {
      if (entry.underWay) entry.way.enter("lost");
      entry.underWay = false;
      entry.queue.next = 0;
      entry.queue.held = null;
      if (entry.way.state === "told") this.#forget(entry, "ack");
    }
    this.#sendAll();
  }

  /** A publication of this very client has come back from the log, which acknowledges it too. */
  seen(channel: string, id: string, position: Position): void {
    const entry = this.#entries.get(id);
    if (entry?.queue.channel !== channel) return;
    if (!entry.underWay && !entry.queue.held) {
      this.#resolve(entry, position);
      return this.#sendNext(entry.queue);
    }
    // It may have been refused for now, and then it has to come again before others may [PUB-12].
    entry.way.enter("seen");
    entry.resolve({ position });
  }

  /**
   * The connection was closed for something that was sent on it. Publications that were on such a
   * connection twice are sent alone, and given up when that doesn't help either [CLOSE-6].
   */
  blame(code: Blame): void {
    const onIt = [...this.#entries.values()].filter(
      ({ underWay, way }) => underWay && way.state !== "unsent",
    );
    for (const entry of onIt) {
      // So it isn't in doubt for being lost with this connection.
      entry.underWay = false;
      entry.way.enter("blame");
      entry.blamed += 1;
      if (entry.blamed !== BLAMED_MAX) continue;
      this.#suspects += 1;
      this.#oneByOne = true;
    }
    const [only, another] = onIt;
    if (only && !another && only.blamed > BLAMED_MAX) {
      this.#end(only, "condemn", localError(code));
    }
  }

  /** Rejects what is left, saying why. */
  close(why: TailwireError): void {
    for (const entry of this.#entries.values()) {
      this.#end(entry, "give up", why);
    }
  }

  #makeRoom(data: Payload): void {
    if (
      this.#entries.size >= CLIENT_LIMITS.outboxCountMax ||
      this.#length + payloadBytes(data) > CLIENT_LIMITS.outboxLengthMax
    ) {
      throw localError("outbox_full");
    }
  }

  /** Before it is sent it needs room for what a repeat adds; the repeat itself has that already. */
  #tooLarge(entry: Entry): TailwireError | null {
    const { limits, codec } = this.#connection;
    const room = entry.first ? 0 : CLIENT_LIMITS.repeatBytesMax;
    const bytes = encodedBytes(this.#encode(entry, codec)) + room;
    return bytes > limits.messageBytesMax ? tooLargeError(limits.messageBytesMax) : null;
  }

  #listen(signal: NonNullable<PublishOptions["signal"]>, entry: Entry): void {
    entry.stopListening = onAbort(signal, (reason) => {
      // Once sent it may be in the log whatever we do, or the server waits for it: so it stays, and
      // is sent until its fate is sure.
      if (entry.way.state === "unsent") this.#giveUp(entry, reason);
      else entry.reject(reason);
    });
  }

  /** Lets an entry go when it has become too old to be sent for the first time. */
  #watchAge(entry: Entry): void {
    const leftMs = entry.ttlMs - this.#ageMs(entry.made);
    if (leftMs > 0) {
      entry.stopTimer = this.#clock.after(leftMs, () => this.#watchAge(entry));
    } else if (this.#isStale(entry)) {
      this.#giveUp(entry, localError("ttl_expired"));
    }
  }

  #isStale({ way, made, ttlMs }: Entry): boolean {
    return way.state === "unsent" && this.#ageMs(made) >= ttlMs;
  }

  /** Sends an entry, unless it is too old or too large by now. */
  #send(entry: Entry): void {
    const error =
      // The timer may have slept with the machine.
      (this.#isStale(entry) && localError("ttl_expired")) ||
      (entry.first && this.#mayBeForgotten(entry.first) && localError("indeterminate")) ||
      // The server of this connection may take less than the one before: then it must not come again.
      this.#tooLarge(entry);
    if (error) return this.#end(entry, "give up", error);
    entry.underWay = true;
    this.#connection.answers.set(entry.id, (answer) => this.#answered(entry, answer));
    this.#connection.send({
      // Encoded when it is written, so that a repeat's age is true; not at all if it was taken back.
      encode: (codec) => (this.#entries.has(entry.id) ? this.#encode(entry, codec) : ""),
      onWrite: () => {
        // Noted before the write: what may have been sent counts as sent [PUB-5].
        entry.way.enter("write");
        entry.first ??= { ...this.#now(), epoch: this.#epochs.get(entry.queue.channel) ?? null };
      },
      // Before welcome nobody knew the connection's limit.
      onTooLarge: (error) => this.#giveUp(entry, error),
    });
  }

  #now(): Moment {
    return { at: this.#clock.monotonic(), wall: this.#clock.now() };
  }

  #encode({ id, sequence, queue, event, data, first }: Entry, codec: ClientCodec): Encoded {
    return codec.encode({
      type: "publish",
      id,
      timestamp: this.#clock.now(),
      channel: queue.channel,
      event,
      sequence,
      settled: (queue.entries[0]?.sequence ?? sequence) - 1,
      ...(first && {
        repeat: {
          ageMs: Math.ceil(this.#ageMs(first)),
          ...(first.epoch !== null && { epoch: first.epoch }),
        },
      }),
      ...carrying(data),
    });
  }

  /** By the clock that advanced more: one may sleep with the machine, the other may be set. */
  #ageMs({ at, wall }: Moment): number {
    const now = this.#now();
    return Math.max(now.at - at, now.wall - wall);
  }

  /** Whether the server may have forgotten the id by the time a repeat arrives [PUB-6]. */
  #mayBeForgotten(first: FirstSend): boolean {
    const { dedupeMs, appendMs } = this.#connection.limits;
    // A clock that was set back hides how much time has passed.
    if (this.#clock.now() < first.wall) return true;
    return this.#ageMs(first) >= dedupeMs - appendMs;
  }

  #answered(entry: Entry, answer: Ack | TailwireError): void {
    // It may have come back from the log before.
    if (!this.#entries.has(entry.id)) return;
    entry.underWay = false;
    if (answer instanceof TailwireError) this.#refused(entry, answer);
    else if (answer.position) this.#resolve(entry, answer.position);
    this.#sendNext(entry.queue);
  }

  #refused(entry: Entry, error: TailwireError): void {
    if (!error.retry) return this.#end(entry, "refusal", error);
    entry.way.enter("held");
    if (entry.way.state === "held") entry.first = null;
    // Later publications must not overtake it: the whole channel waits.
    const { queue } = entry;
    if (queue.held) return;
    queue.held = "for a while";
    entry.refusals = Math.min(CLIENT_LIMITS.refusalsMax, entry.refusals + 1);
    this.#connection.scope.after(refusalMs(entry.refusals, error.retryAfterMs), () => {
      queue.held = "for answers";
      this.#sendNext(queue);
    });
  }

  /** Sends what may be sent now that something of a channel has come, or has ended. */
  #sendNext(queue: Queue): void {
    if (this.#oneByOne) this.#sendAll();
    else this.#sendOf(queue);
  }

  /** The same of all channels. Where they go one by one, each that is let go of was in the way of others. */
  #sendAll(): void {
    let size;
    do {
      ({ size } = this.#entries);
      this.#oneByOne = this.#suspects > 0;
      for (const queue of this.#queues.values()) this.#sendOf(queue);
    } while (size > this.#entries.size);
  }

  /**
   * Sends what a channel may send, in order: as many as the window has room for before the oldest is
   * settled [PUB-15]. Where it waits, all that is under way must be answered first: of two sends of one
   * publication nobody could tell which an answer is to, nor whether the other is yet to come.
   */
  #sendOf(queue: Queue): void {
    const { entries } = queue;
    if (queue.held === "for answers" && !entries.some(({ underWay }) => underWay)) {
      queue.held = null;
      queue.next = 0;
    }
    while (this.#connection.isOpen && !queue.held && queue.next < this.#connection.limits.window) {
      const entry = entries[queue.next];
      if (!entry) return;
      const waits = this.#entries.has(entry.id);
      if (waits && this.#oneByOne && entry !== this.#entries.values().next().value) return;
      queue.next += 1;
      if (waits) this.#send(entry);
    }
  }

  #resolve(entry: Entry, position: Position): void {
    this.noteEpoch(entry.queue.channel, position.epoch);
    this.#forget(entry, "ack");
    entry.resolve({ position });
  }

  /** It isn't sent any more, and others may go instead. */
  #giveUp(entry: Entry, error: unknown): void {
    this.#end(entry, "give up", error);
    this.#sendNext(entry.queue);
  }

  /** It isn't sent any more. The error is the truth, unless it may be in the log. */
  #end(entry: Entry, event: EntryEvent, error: unknown): void {
    this.#forget(entry, event);
    entry.reject(entry.way.state === "indeterminate" ? localError("indeterminate") : error);
  }

  /** Its place in the queue ends with those before it. The place of one that was never sent ends now. */
  #forget(entry: Entry, event: EntryEvent): void {
    const { id, queue, way } = entry;
    const { entries } = queue;
    const leaves = (index: number): void => {
      entries.splice(index, 1);
      if (index < queue.next) queue.next -= 1;
    };
    entry.stopListening?.();
    entry.stopTimer?.();
    this.#entries.delete(id);
    this.#length -= payloadBytes(entry.data);
    if (entry.blamed >= BLAMED_MAX) this.#suspects -= 1;
    entry.underWay = false;
    if (way.state === "unsent") leaves(entries.indexOf(entry));
    while (entries[0] && !this.#entries.has(entries[0].id)) leaves(0);
    if (!entries[0]) this.#queues.delete(queue.channel);
    way.enter(event);
    this.#changed();
  }
}
