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
import type { Entry, FirstSend, Moment } from "./outbox-entry.ts";
import type { Published, PublishOptions } from "../types.ts";

/** Closes after which what was on each of the connections is sent alone. */
const BLAMED_MAX = 2;

export class Outbox {
  readonly #clock: Clock;
  readonly #connection: Connection;
  readonly #changed: () => void;
  /** By id. A map keeps the order in which they were made. */
  readonly #entries = new Map<string, Entry>();
  /**
   * By channel, in order, from the oldest that isn't settled: settled ones keep their places behind it,
   * since the server does too [PUB-15].
   */
  readonly #queues = new Map<string, Entry[]>();
  /** The newest known epoch of channels that were published to or followed. */
  readonly #epochs = new Map<string, string>();
  /** Channels that wait after a refusal that may pass, and whether they have waited long enough. */
  readonly #held = new Map<string, boolean>();
  /** Connections so far. */
  #connections = 0;
  #length = 0;
  /** Publications so far. */
  #sequence = 0;
  /** Entries that may be why connections are closed. */
  #suspects = 0;
  /** Whether {@link #sendAll} is at work: it must not begin again for each that it lets go of. */
  #sending = false;

  constructor(clock: Clock, connection: Connection, changed: () => void) {
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
    id: string,
  ): Promise<Published> {
    return new Promise((resolve, reject) => {
      checkName(event);
      checkWait(signal, ttlMs);
      throwIfAborted(signal);
      const data = payloadOf(value);
      this.#makeRoom(data);
      const entry: Entry = {
        id,
        sequence: (this.#sequence += 1),
        channel,
        event,
        data,
        resolve,
        reject,
        made: this.#now(),
        ttlMs,
        sentOn: 0,
        underWay: false,
        told: false,
        refusals: 0,
        blamed: 0,
        first: null,
      };
      const tooLarge = this.#tooLarge(entry);
      if (tooLarge) throw tooLarge;
      this.#entries.set(entry.id, entry);
      const queue = this.#queues.get(channel);
      if (queue) queue.push(entry);
      else this.#queues.set(channel, [entry]);
      this.#length += payloadBytes(data);
      if (signal) this.#listen(signal, entry);
      if (ttlMs !== Infinity) this.#watchAge(entry);
      this.#connection.use();
      if (this.#connection.isOpen) this.#send(entry);
      this.#changed();
    });
  }

  /** Notes a channel's epoch, for publications that are sent from now on. */
  noteEpoch(channel: string, epoch: string): void {
    this.#epochs.set(channel, epoch);
  }

  /** A new connection: everything is sent again, in order, the oldest first. */
  opened(): void {
    this.#connections += 1;
    this.#held.clear();
    // Here and below, nobody is called who could add more: what is settled is told later.
    for (const entry of this.#entries.values()) entry.underWay = false;
    for (const entry of this.#entries.values()) if (entry.told) this.#forget(entry);
    this.#sendAll();
  }

  /** A publication of this very client has come back from the log, which acknowledges it too. */
  seen(channel: string, id: string, position: Position): void {
    const entry = this.#entries.get(id);
    if (entry?.channel !== channel) return;
    if (!entry.underWay && !this.#held.has(entry.channel)) return this.#resolve(entry, position);
    // It may have been refused for now, and then it has to come again before others may [PUB-12].
    entry.told = true;
    entry.resolve({ position });
  }

  /**
   * The connection was closed for something that was sent on it. Publications that were on such a
   * connection twice are sent alone, and given up when that doesn't help either [CLOSE-6].
   */
  blame(code: Blame): void {
    const onIt = [...this.#entries.values()].filter(({ sentOn }) => sentOn === this.#connections);
    for (const entry of onIt) {
      entry.blamed += 1;
      if (entry.blamed === BLAMED_MAX) this.#suspects += 1;
    }
    const [only, another] = onIt;
    if (only && !another && only.blamed > BLAMED_MAX) {
      this.#reject(only, localError(code));
    }
  }

  /** Rejects what is left, saying why. */
  close(why: TailwireError): void {
    for (const entry of this.#entries.values()) {
      this.#giveUp(entry, why);
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
      if (entry.sentOn === 0) this.#reject(entry, reason);
      else entry.reject(reason);
    });
  }

  /** Lets an entry go when it has become too old to be sent for the first time. */
  #watchAge(entry: Entry): void {
    const leftMs = entry.ttlMs - this.#ageMs(entry.made);
    if (leftMs > 0) {
      entry.stopTimer = this.#clock.after(leftMs, () => this.#watchAge(entry));
    } else if (this.#isStale(entry)) {
      this.#reject(entry, localError("ttl_expired"));
    }
  }

  #isStale({ sentOn, made, ttlMs }: Entry): boolean {
    return sentOn === 0 && this.#ageMs(made) >= ttlMs;
  }

  /** Sends an entry, unless its channel waits or its time is over. */
  #send(entry: Entry): void {
    // The timer may have slept with the machine.
    if (this.#isStale(entry)) return this.#reject(entry, localError("ttl_expired"));
    if (entry.underWay || this.#mustWait(entry)) return;
    if (entry.first && this.#mayBeForgotten(entry.first)) {
      return this.#reject(entry, localError("indeterminate"));
    }
    // The server of this connection may take less than the one before: then it must not come again.
    const giveUp = (error: TailwireError): void => this.#giveUp(entry, error);
    const tooLarge = this.#tooLarge(entry);
    if (tooLarge) return giveUp(tooLarge);
    entry.underWay = true;
    this.#connection.answers.set(entry.id, (answer) => this.#answered(entry, answer));
    this.#connection.send({
      // Encoded when it is written, so that a repeat's age is true; not at all if it was taken back.
      encode: (codec) => (this.#entries.has(entry.id) ? this.#encode(entry, codec) : ""),
      onWrite: () => {
        // Noted before the write: what may have been sent counts as sent [PUB-5].
        entry.sentOn = this.#connections;
        entry.first ??= {
          ...this.#now(),
          epoch: this.#epochs.get(entry.channel) ?? null,
          connection: this.#connections,
        };
      },
      // Before welcome nobody knew the connection's limit.
      onTooLarge: giveUp,
    });
  }

  #mustWait(entry: Entry): boolean {
    const { channel, sequence } = entry;
    const beyond = this.#queues.get(channel)?.[this.#connection.limits.window];
    if (this.#held.has(channel) || (beyond && sequence >= beyond.sequence)) return true;
    // While one is suspected, they go one by one.
    return this.#suspects > 0 && this.#entries.values().next().value !== entry;
  }

  #now(): Moment {
    return { at: this.#clock.monotonic(), wall: this.#clock.now() };
  }

  #encode({ id, sequence, channel, event, data, first }: Entry, codec: ClientCodec): Encoded {
    return codec.encode({
      type: "publish",
      id,
      timestamp: this.#clock.now(),
      channel,
      event,
      sequence,
      settled: (this.#queues.get(channel)?.[0]?.sequence ?? sequence) - 1,
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
    this.#sendNext(entry.channel);
  }

  #refused(entry: Entry, error: TailwireError): void {
    if (!error.retry) return this.#reject(entry, error);
    // Refused here, and never sent before: it certainly isn't in the log.
    if (entry.first?.connection === this.#connections) entry.first = null;
    // Later publications must not overtake it: the whole channel waits.
    if (this.#held.has(entry.channel)) return;
    const { channel } = entry;
    this.#held.set(channel, false);
    entry.refusals = Math.min(CLIENT_LIMITS.refusalsMax, entry.refusals + 1);
    this.#connection.scope.after(refusalMs(entry.refusals, error.retryAfterMs), () => {
      this.#held.set(channel, true);
      this.#sendNext(channel);
    });
  }

  /**
   * Sends what a channel may send. Where it waits, all that is under way must be answered first: of two
   * sends of one publication nobody could tell which an answer is to, nor whether the other is yet to
   * come.
   */
  #sendNext(channel: string): void {
    if (!this.#connection.isOpen) return;
    const window = this.#windowOf(channel);
    if (this.#held.get(channel) && !window.some(({ underWay }) => underWay)) {
      this.#held.delete(channel);
    }
    for (const entry of window) if (this.#entries.has(entry.id)) this.#send(entry);
  }

  /** As many of a channel as may be sent before the oldest is settled [PUB-15]. */
  #windowOf(channel: string): readonly Entry[] {
    return this.#queues.get(channel)?.slice(0, this.#connection.limits.window) ?? [];
  }

  /** Sends what may be sent. Entries that got too old are let go of by the same walk. */
  #sendAll(): void {
    if (this.#sending || !this.#connection.isOpen) return;
    this.#sending = true;
    for (const entry of this.#entries.values()) this.#send(entry);
    this.#sending = false;
  }

  #resolve(entry: Entry, position: Position): void {
    this.noteEpoch(entry.channel, position.epoch);
    this.#forget(entry);
    entry.resolve({ position });
  }

  /** It isn't sent any more. Where it was before, nobody knows whether it is in the log. */
  #giveUp(entry: Entry, error: TailwireError): void {
    this.#reject(entry, entry.first ? localError("indeterminate") : error);
  }

  #reject(entry: Entry, error: unknown): void {
    this.#forget(entry);
    entry.reject(error);
  }

  #forget(entry: Entry): void {
    entry.stopListening?.();
    entry.stopTimer?.();
    this.#entries.delete(entry.id);
    this.#length -= payloadBytes(entry.data);
    this.#leave(entry);
    this.#sendNext(entry.channel);
    if (this.#suspects > 0) {
      if (entry.blamed >= BLAMED_MAX) this.#suspects -= 1;
      this.#sendAll();
    }
    this.#changed();
  }

  /** Its place in the queue ends with those before it. The place of one that wasn't sent ends now. */
  #leave(entry: Entry): void {
    const { channel } = entry;
    const queue = this.#queues.get(channel) ?? [];
    entry.underWay = false;
    if (entry.sentOn === 0) queue.splice(queue.indexOf(entry), 1);
    while (queue[0] && !this.#entries.has(queue[0].id)) queue.shift();
    if (queue.length === 0) this.#queues.delete(channel);
  }
}
