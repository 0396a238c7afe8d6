/**
 * A proofreader reads all that nodes write by the rules that it has to keep, and finds what doesn't. It
 * doesn't know what any of it is about.
 */
import { jsonCodec, type Encoded } from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { type Heard, heardOf, publishedIn } from "./wire-reader.ts";

/** WebSocket messages whose readings are kept. */
const READ_MAX = 256;

/** The content of a WebSocket message, and in how far it can't be read. */
export interface Reading {
  readonly faults: readonly string[];
  /** The channel of a run of publications; null where it isn't one. */
  readonly channel: string | null;
  readonly heard: readonly Heard[];
}

export class Proofreader {
  /** Readings of what was read last: the same is written to many. */
  readonly #read = new Map<Encoded, Reading>();

  read(wire: Encoded): Reading {
    let reading = this.#read.get(wire);
    if (reading === undefined) {
      reading = readingOf(wire);
      if (this.#read.size >= READ_MAX) this.#read.clear();
      this.#read.set(wire, reading);
    }
    return reading;
  }
}

function readingOf(wire: Encoded): Reading {
  const codec = typeof wire === "string" ? jsonCodec : msgpackCodec;
  const faults: string[] = [];
  const heard: Heard[] = [];
  const channel = publishedIn(wire);
  for (const decoded of codec.decodeServerMessages(wire)) {
    if ("malformed" in decoded) faults.push(decoded.malformed.detail);
    else if (decoded.message === null) faults.push("a type that nobody knows");
    else if (channel === null) heard.push(heardOf(decoded.message));
  }
  return { faults, channel, heard };
}
