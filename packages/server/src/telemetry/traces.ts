/**
 * Traces: the messages on the connections of one user, to find a fault by.
 *
 * An entry has a message's type and the fields of {@link SHOWN}. It never has tokens, secrets or payloads.
 */
import type { Clock } from "@tailwire/protocol";

/** One message, or several publications in a row that were sent together. */
export interface TraceEntry {
  /** Unix milliseconds by the server's clock. */
  readonly at: number;
  /** `User.id`. */
  readonly user: string;
  /** The client's public id; null before `hello`. */
  readonly client: string | null;
  /** `in`: from the client. */
  readonly direction: "in" | "out";
  /** The message's type; `publications` for several in a row. */
  readonly type: string;
  /** Id, request, channel, code and the like, as far as the message has them. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An event to trace: a message, or something else that happens to a connection. */
export interface Traced extends Partial<Record<(typeof SHOWN)[number], unknown>> {
  readonly type: string;
}

/** A connection, as far as traces name it. */
export interface Traceable {
  readonly access: { readonly userId: string };
  /** Null before `hello`. */
  readonly identity: { readonly clientId: string } | null;
}

/** Called with each entry. An error that it throws, or rejects with, is logged. */
export type Tracer = (entry: TraceEntry) => unknown;

/** Fields that may be shown of a message. */
const SHOWN = [
  "id",
  "re",
  "channel",
  "event",
  "name",
  "start",
  "position",
  "recovered",
  "duplicate",
  "repeat",
  "offset",
  "first",
  "last",
  "count",
  "reason",
  "from",
  "to",
  "continuesAfter",
  "lost",
  "code",
  "retry",
  "retryAfterMs",
  "generation",
  "overlap",
] as const;

export class Traces {
  readonly #tracers = new Map<string, Set<Tracer>>();

  readonly #clock: Clock;
  /** Calls a tracer, and logs what it throws. */
  readonly #tell: (tracer: () => unknown) => void;

  constructor(clock: Clock, tell: (tracer: () => unknown) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /**
   * Traces all that is said on a user's connections, until it is taken back. A tracer that is added
   * twice is told twice.
   *
   * @throws TypeError when the tracer is no function.
   */
  add(user: string, tracer: Tracer): () => void {
    if (typeof tracer !== "function") throw new TypeError("a tracer is a function");
    const tracers = this.#tracers.get(user) ?? new Set();
    this.#tracers.set(user, tracers);
    const own: Tracer = (entry) => tracer(entry);
    tracers.add(own);
    return () => {
      tracers.delete(own);
      if (tracers.size === 0 && this.#tracers.get(user) === tracers) this.#tracers.delete(user);
    };
  }

  /**
   * A message comes in or goes out. Tracers are told of it when nothing is under way: they may end the
   * connection.
   */
  note({ access, identity }: Traceable, direction: "in" | "out", message: Traced): void {
    if (this.#tracers.size === 0 || !this.#tracers.has(access.userId)) return;
    const client = identity?.clientId ?? null;
    const about = { at: this.#clock.now(), user: access.userId, client, direction };
    this.#clock.soon(() => this.#tellAll(about, message));
  }

  #tellAll(about: Omit<TraceEntry, "type" | "fields">, message: Traced): void {
    const fields = Object.fromEntries(
      SHOWN.flatMap((name) => (message[name] === undefined ? [] : [[name, copyOf(message[name])]])),
    );
    const entry = { ...about, type: message.type, fields };
    const tracers = this.#tracers.get(about.user) ?? new Set();
    // A copy: tracers take themselves and others back, and come again, while they are told.
    for (const tracer of Array.from(tracers)) {
      if (tracers.has(tracer)) this.#tell(() => tracer(entry));
    }
  }
}

/** Positions and starts are the message's own, which is still to be sent: a tracer gets copies. */
function copyOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, copyOf(one)]));
}
