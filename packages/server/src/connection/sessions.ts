/**
 * The sessions on this node: which connection of each is the current one.
 *
 * A newer connection supersedes the older, so that a client that came back isn't followed by its
 * own ghost. On other nodes the broker's fence keeps ghosts from publishing [PUB-7].
 */
import type { Clock, CloseName } from "@tailwire/protocol";

/** The session that a connection speaks for, once `hello` has named it. */
export interface Identity {
  /** Public id of the client, and the producer of its publications. */
  readonly clientId: string;
  readonly generation: number;
}

/** A connection, as far as its session calls it. */
export interface Contender {
  /** Null before `hello`. */
  readonly identity: Identity | null;
  close(name: CloseName): void;
}

/** A session's connections here: the current one, and the one before it while they overlap. */
interface Pair {
  readonly current: Contender;
  readonly former: Contender | null;
}

export class Sessions {
  readonly #clock: Clock;
  readonly #overlapMs: number;
  readonly #pairs = new Map<string, Pair>();

  /** An older connection stays for `overlapMs` beside a newer one that asked for it. */
  constructor(clock: Clock, overlapMs: number) {
    this.#clock = clock;
    this.#overlapMs = overlapMs;
  }

  /** Makes a connection its session's current one. False: it was closed instead [CONN-6]. */
  enter(connection: Contender, { clientId, generation }: Identity, overlap: boolean): boolean {
    const { current = null, former = null } = this.#pairs.get(clientId) ?? {};
    const currentGeneration = current?.identity?.generation ?? 0;
    if (generation <= currentGeneration) {
      connection.close(generation === currentGeneration ? "session_in_use" : "superseded");
      return false;
    }
    this.#pairs.set(clientId, { current: connection, former: overlap ? current : null });
    former?.close("superseded");
    if (overlap) this.#clock.after(this.#overlapMs, () => current?.close("superseded"));
    else current?.close("superseded");
    return true;
  }

  /** A connection has gone. */
  leave(connection: Contender): void {
    const clientId = connection.identity?.clientId;
    if (clientId === undefined) return;
    const pair = this.#pairs.get(clientId);
    if (pair === undefined) return;
    const { current, former } = pair;
    // The one that overlaps is the session's again: who comes next has to be newer than that.
    if (current === connection && former !== null) {
      this.#pairs.set(clientId, { current: former, former: null });
    } else if (current === connection) this.#pairs.delete(clientId);
    else if (former === connection) this.#pairs.set(clientId, { current, former: null });
  }
}
