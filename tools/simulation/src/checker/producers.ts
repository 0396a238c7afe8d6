/**
 * The rule about how a client numbers its publications [PUB-15]. Rule 31 of the checker.
 *
 * It looks at the wire alone: how far a client has said that it is settled, and its sends beyond that.
 */
import type { HistoryEvent, WroteEvent } from "./history.ts";
import type { Setting } from "./setting.ts";
import type { Report } from "./violation.ts";
import type { Wire } from "./wire.ts";

/** The window that a client may take before it was told one. */
const FIRST_WINDOW = 256;

/** A client's publications to one channel. */
interface Numbering {
  settled: number;
  /** Sequences that were sent and aren't settled. */
  readonly open: Set<number>;
}

export class Producers {
  readonly #wire: Wire;
  readonly #window: number;
  readonly #report: Report;
  readonly #numberings = new Map<string, Numbering>();
  /** Clients that have been connected, and know the window. */
  readonly #told = new Set<string>();

  constructor(wire: Wire, { window }: Setting, report: Report) {
    this.#wire = wire;
    this.#window = window;
    this.#report = report;
  }

  take(event: HistoryEvent): void {
    if (event.type === "status" && event.state === "connected") this.#told.add(event.client);
    if (event.type !== "wrote") return;
    const fault = this.#faultOf(event, this.#wire.clientOf(event.connection));
    if (fault !== null) this.#report("R31", `${event.tag} on ${event.connection} ${fault}`);
  }

  #faultOf({ channel, sequence, settled }: WroteEvent, client: string): string | null {
    const key = `${client} ${channel}`;
    const numbering = this.#numberings.get(key) ?? { settled: 0, open: new Set<number>() };
    this.#numberings.set(key, numbering);
    const before = numbering.settled;
    const { open } = numbering;
    if (!(settled >= before)) return `says that ${settled} is settled, after ${before}`;
    if (!(sequence > settled)) return `has the sequence ${sequence}, and ${settled} is settled`;
    numbering.settled = settled;
    for (const one of open) if (one <= settled) open.delete(one);
    const isNew = !open.has(sequence);
    open.add(sequence);
    const window = this.#told.has(client) ? this.#window : FIRST_WINDOW;
    if (!isNew || open.size <= window) return null;
    return `is one of ${open.size} above ${settled}, and the window is ${window}`;
  }
}
