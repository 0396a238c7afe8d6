/**
 * Rules about how nodes conduct themselves: what is answered, what is held, what is left. Rules 19 to
 * 21, 24, 27 to 30 of the checker.
 */
import type { HistoryEvent, RunEvent, WireEvent } from "./history.ts";
import type { Setting } from "./setting.ts";
import type { Report } from "./violation.ts";

/**
 * Codes that no client is told that keeps the protocol, however things cross: each says that it has
 * said what may not be said, or said it where it may not. `not_subscribed` isn't one of them, since an
 * `unsubscribe` may cross an `unsubscribed` [SUB-9].
 */
const NEVER_TOLD: ReadonlySet<string> = new Set(
  "already_subscribed bad_channel bad_message bad_position id_conflict invalid_data not_ready too_large".split(
    " ",
  ),
);

/** And codes by which no connection of such a client is closed, with what they say. */
const NEVER_CLOSED: ReadonlyMap<number, string> = new Map([
  [1002, "a protocol error"],
  [1003, "unsupported data"],
  [1007, "invalid data"],
  [1008, "a broken policy"],
  [1009, "too_large"],
  [1010, "a missing extension"],
  [4400, "bad_message"],
  [4502, "protocol_violation"],
]);

export class Conduct {
  readonly #requestsMax: number;
  readonly #report: Report;
  /** How often each request was asked and not answered, by connection. */
  readonly #open = new Map<string, Map<string, number>>();
  readonly #unresolved = new Set<string>();
  readonly #sessions = new Set<string>();
  /** Whether two programs had one session: the publications of one are numbered like the other's. */
  #isCloned = false;

  constructor({ requestsMax }: Setting, report: Report) {
    this.#requestsMax = requestsMax;
    this.#report = report;
  }

  take(event: HistoryEvent): void {
    switch (event.type) {
      case "request":
      case "closed":
        return this.#wire(event);
      case "answer":
        this.#wire(event);
        return this.#told(event);
      case "told":
      case "complaint":
        return this.#told(event);
      case "gapped": {
        const { connection, channel, behind, followed } = event;
        if (followed || behind <= 0) return;
        const fault = `${connection} was told a gap of ${channel} and none of ${behind} behind it`;
        return this.#report("R30", fault);
      }
      case "cut": {
        const { connection, code } = event;
        const meaning = NEVER_CLOSED.get(code);
        if (meaning === undefined) return;
        return this.#report("R27", `${connection} was closed with ${code}, ${meaning}`);
      }
      case "unreadable": {
        const { connection, detail } = event;
        return this.#report("R27", `${connection} was sent what can't be read: ${detail}`);
      }
      case "held":
      case "stormed":
      case "counted":
      case "left":
      case "crash":
      case "rerun":
        return this.#run(event);
      case "client":
        this.#isCloned ||= this.#sessions.has(event.session);
        this.#sessions.add(event.session);
        return;
      case "publish":
        this.#unresolved.add(event.tag);
        return;
      case "published":
      case "unpublished":
        this.#unresolved.delete(event.tag);
        return;
      default:
    }
  }

  /** At the end, after all was healed: was everybody answered? */
  settle(): void {
    for (const [connection, ids] of this.#open) {
      for (const id of ids.keys()) this.#report("R20", `${id} on ${connection} was never answered`);
    }
    for (const tag of this.#unresolved) this.#report("R21", `${tag} has no outcome`);
  }

  /** Codes are told to clients that keep the protocol. */
  #told({ connection, code }: { readonly connection: string; readonly code: string | null }): void {
    if (code === "id_conflict" && this.#isCloned) return;
    if (code !== null && NEVER_TOLD.has(code)) {
      this.#report("R27", `${connection} was told ${code}`);
    }
  }

  #wire(event: Extract<WireEvent, { type: "request" | "answer" | "closed" }>): void {
    const open = this.#open.get(event.connection) ?? new Map<string, number>();
    switch (event.type) {
      case "request":
        this.#open.set(event.connection, open);
        open.set(event.id, (open.get(event.id) ?? 0) + 1);
        if (open.size !== this.#requestsMax + 1) return;
        return this.#report("R19", `${event.connection} has ${open.size} requests unanswered`);
      case "answer": {
        const asked = open.get(event.re) ?? 0;
        if (asked > 1) open.set(event.re, asked - 1);
        else open.delete(event.re);
        if (asked > 0) return;
        return this.#report("R20", `${event.re} on ${event.connection} was answered unasked`);
      }
      case "closed":
        this.#open.delete(event.connection);
        return;
      default:
        event satisfies never;
    }
  }

  #run(event: Exclude<RunEvent, { type: "healed" | "settled" | "burden" | "relief" }>): void {
    switch (event.type) {
      case "held":
        if (event.bytes <= event.bound) return;
        return this.#report(
          "R19",
          `${event.what}: ${event.bytes}, and there may be ${event.bound}`,
        );
      case "stormed":
        if (event.count <= event.bound) return;
        return this.#report("R21", `${event.count} ${event.what}, and reason for ${event.bound}`);
      case "counted": {
        const { what, said, least, most } = event;
        if (said >= least && said <= most) return;
        return this.#report("R29", `${what}: ${said} by a node's count, and ${least} were seen`);
      }
      case "left":
        if (event.count === 0) return;
        return this.#report("R24", `${event.count} ${event.what} are left`);
      case "crash":
        return this.#report("R27", event.error);
      case "rerun":
        if (event.hash === event.again) return;
        return this.#report("R28", `${event.hash} the first time, ${event.again} the second`);
      default:
        event satisfies never;
    }
  }
}
