/**
 * The sessions on this node: which connection of each is the current one.
 *
 * A newer connection supersedes the older, so that a client that came back isn't followed by its
 * own ghost. On other nodes the broker's fence keeps ghosts from publishing [PUB-7].
 */
import type { Connection, Identity } from "./connection.ts";

/** A session's connections here: the current one, and the one before it while they overlap. */
interface Pair {
  readonly current: Connection;
  readonly former: Connection | null;
}

export class Sessions {
  readonly #pairs = new Map<string, Pair>();

  /** Makes a connection its session's current one. False: it was closed instead [CONN-6]. */
  enter(connection: Connection, { clientId, generation }: Identity, overlap: boolean): boolean {
    const { current = null, former = null } = this.#pairs.get(clientId) ?? {};
    const currentGeneration = current?.identity?.generation ?? 0;
    if (generation <= currentGeneration) {
      connection.close(generation === currentGeneration ? "session_in_use" : "superseded");
      return false;
    }
    this.#pairs.set(clientId, { current: connection, former: overlap ? current : null });
    former?.close("superseded");
    if (overlap) closeLater(current);
    else current?.close("superseded");
    return true;
  }

  /** A connection has gone. */
  leave(connection: Connection): void {
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

/** An older connection stays for a while beside the newer one. */
function closeLater(connection: Connection | null): void {
  if (connection === null) return;
  const { limits, ports } = connection.node;
  ports.clock.after(limits.overlapMs, () => connection.close("superseded"));
}
