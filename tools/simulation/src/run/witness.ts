/**
 * A witness writes the history of a run, and a hash of it that is the same for the same run. It
 * judges nothing.
 */
import type { Publication as Given } from "@tailwire/client/core";
import { type Publication, publicationBytes } from "@tailwire/server/broker-contract";
import type { Clock } from "@tailwire/protocol";
import type { LogWitness } from "../broker/shared-log.ts";
import { EMPTY_STATE, foldOne } from "../checker/truth.ts";
import type { Entry, HistoryEvent } from "../checker/history.ts";

export class Witness implements LogWitness {
  readonly history: HistoryEvent[] = [];
  /** The sights of this run: see `sights.ts`. */
  readonly seen = new Set<string>();
  /** Is told each event as it happens. */
  told: (event: HistoryEvent) => void = () => undefined;
  readonly #clock: Clock;
  #hash = 0x811c9dc5;
  /** The application's state of each log, by offset. */
  readonly #states = new Map<string, string[]>();
  readonly #epochs = new Map<string, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  note(event: HistoryEvent): void {
    this.history.push(event);
    this.told(event);
    this.mix(`${event.type} ${keyOf(event)}`);
  }

  /** Somebody publishes something. */
  notePublish(
    head: Omit<
      Extract<HistoryEvent, { type: "publish" }>,
      "type" | "event" | "content" | "bytes" | "at"
    >,
    data: unknown,
  ): void {
    const payload = payloadOf(data);
    const bytes = typeof payload === "string" ? Buffer.byteLength(payload) : payload.length;
    const [content, at] = [digestOf(payload), this.#clock.monotonic()];
    this.note({ type: "publish", ...head, event: EVENT, content, bytes, at });
  }

  see(sight: string): void {
    this.seen.add(sight);
  }

  /** Adds something that happened now to the hash. */
  mix(text: string): void {
    let hash = Math.imul(this.#hash ^ Math.round(this.#clock.monotonic() * 8), 0x01000193);
    for (let index = 0; index < text.length; index += 1) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    }
    this.#hash = hash;
  }

  // The truth about logs

  began(channel: string, epoch: string, parent: string | null, at: number): void {
    this.note({ type: "epoch", channel, epoch, parent, at });
    const former = parent === null ? [] : (this.#states.get(`${channel} ${parent}`) ?? []);
    const kept = parent === null ? [EMPTY_STATE] : former.slice(0, at + 1);
    this.#states.set(`${channel} ${epoch}`, kept);
    this.#epochs.set(channel, epoch);
  }

  appended(channel: string, epoch: string, publication: Publication): void {
    const entry = entryOf(publication);
    const bytes = publicationBytes(publication);
    this.note({ type: "appended", channel, epoch, entry, bytes });
    const states = this.#states.get(`${channel} ${epoch}`);
    states?.push(foldOne(states.at(-1) ?? EMPTY_STATE, entry.tag));
  }

  trimmed(channel: string, epoch: string, offset: number, early: boolean): void {
    this.note({ type: "edge", channel, epoch, offset, early });
  }

  /** The state of a channel, so many publications ago: null where there is no log. */
  stateOf(channel: string, ago: number): { epoch: string; offset: number; state: string } | null {
    const epoch = this.#epochs.get(channel);
    const states = this.#states.get(`${channel} ${epoch}`);
    if (epoch === undefined || states === undefined) return null;
    const offset = Math.max(0, states.length - 1 - ago);
    return { epoch, offset, state: states[offset] ?? EMPTY_STATE };
  }
}

function keyOf(event: HistoryEvent): string {
  switch (event.type) {
    case "delivery":
      return `${event.sub} ${event.entry.offset} ${event.entry.tag}`;
    case "appended":
      return `${event.channel} ${event.entry.offset} ${event.entry.id}`;
    case "request":
      return event.id;
    case "answer":
      return event.re;
    default:
      return "sub" in event ? event.sub : "tag" in event ? event.tag : "";
  }
}

/** The event of all publications. */
export const EVENT = "message";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The data of a publication with this tag: a JSON value, or bytes. */
export function dataOf(tag: string, padding: number, asBytes: boolean): unknown {
  const pad = ".".repeat(padding);
  return asBytes ? encoder.encode(`${tag}|${pad}`) : { tag, pad };
}

/** The tag in what was carried, wherever it was seen. */
export function tagOf(carried: unknown): string {
  if (carried instanceof Uint8Array) return decoder.decode(carried).split("|")[0] ?? "";
  return String((carried as { readonly tag?: unknown } | null)?.tag);
}

/** A payload, as JSON text or bytes. */
function payloadOf(value: unknown): string | Uint8Array {
  return value instanceof Uint8Array ? value : JSON.stringify(value);
}

/** An entry of a log, which keeps JSON as its text. */
function entryOf(publication: Publication): Entry {
  const { offset, id, event, publisher, timestamp, data } = publication;
  const payload = data instanceof Uint8Array ? data : data.text;
  const tag = tagOf(typeof payload === "string" ? JSON.parse(payload) : payload);
  return { offset, id, tag, event, publisher, timestamp, content: digestOf(payload) };
}

/** The same, of a publication that a client was given. */
export function entryOfPublication(publication: Given): Entry {
  const { position, id, event, publisher, timestamp, data } = publication;
  const content = digestOf(payloadOf(data));
  return { offset: position.offset, id, tag: tagOf(data), event, publisher, timestamp, content };
}

/** A digest of all of a payload, and whether it is text or bytes. */
function digestOf(payload: string | Uint8Array): string {
  let hash = 0x811c9dc5;
  if (typeof payload === "string") {
    for (let index = 0; index < payload.length; index += 1) {
      hash = Math.imul(hash ^ payload.charCodeAt(index), 0x01000193);
    }
    return `text ${payload.length} ${hash}`;
  }
  for (const byte of payload) hash = Math.imul(hash ^ byte, 0x01000193);
  return `bytes ${payload.length} ${hash}`;
}
