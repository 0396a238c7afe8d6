/**
 * A proofreader reads all that nodes write by the rules that it has to keep, and finds what doesn't. It
 * doesn't know what any of it is about.
 */
import { jsonCodec, type Wire } from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";

/** WebSocket messages whose faults are kept. */
const READ_MAX = 256;

export class Proofreader {
  /** The faults of what was read last: the same is written to many. */
  readonly #read = new Map<Wire, readonly string[]>();

  faultsIn(wire: Wire): readonly string[] {
    let faults = this.#read.get(wire);
    if (faults === undefined) {
      faults = read(wire);
      if (this.#read.size >= READ_MAX) this.#read.clear();
      this.#read.set(wire, faults);
    }
    return faults;
  }
}

function read(wire: Wire): readonly string[] {
  const codec = typeof wire === "string" ? jsonCodec : msgpackCodec;
  return codec.decodeServerMessages(wire).flatMap((decoded) => {
    if ("malformed" in decoded) return [decoded.malformed.detail];
    return decoded.message === null ? ["a type that nobody knows"] : [];
  });
}
