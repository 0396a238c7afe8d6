/**
 * Publications of this client that the log hasn't brought back yet. It doesn't know the others.
 */
import type { Gap, Position, TailwireError } from "@tailwire/client";
import type { ShownPublication, ShownPublished } from "./types.ts";

interface Own {
  readonly shown: ShownPublication;
  /** Whether it lies before where the subscription began, which won't bring it. */
  readonly isBefore: boolean;
}

/** Its way out and back, where it is refused. */
type Ways = Pick<ShownPublication & { state: "refused" }, "retry" | "remove">;

export class OwnPublications {
  /** By their local ids, in the order in which they were made. */
  readonly #all = new Map<string, Own>();

  /** The ones before the subscription's start, or the ones at the end of the list. */
  listed(isBefore: boolean): readonly ShownPublication[] {
    return [...this.#all.values()]
      .filter((own) => own.isBefore === isBefore)
      .map(({ shown }) => shown);
  }

  /** Adds one; where there are more than `limit`, the oldest that isn't on its way is let go. */
  add(localId: string, event: string, data: unknown, limit: number): void {
    const shown = { key: localId, state: "sending", event, data, localId } as const;
    this.#all.set(localId, { shown: { ...shown, timestamp: Date.now() }, isBefore: false });
    if (this.#all.size <= limit) return;
    const [settled] = [...this.#all].find(([, own]) => own.shown.state !== "sending") ?? [];
    if (settled !== undefined) this.#all.delete(settled);
  }

  /** The log has it. `isBefore`: the subscription won't bring it. */
  published(
    localId: string,
    position: Position,
    publisher: string | null,
    isBefore: boolean,
  ): void {
    this.#update(localId, isBefore, {
      state: "published",
      id: position.id ?? localId,
      position,
      publisher,
    });
  }

  refused(localId: string, error: TailwireError, ways: Ways): void {
    this.#update(localId, false, { state: "refused", error, ...ways });
  }

  remove(localId: string): void {
    this.#all.delete(localId);
  }

  /** The log has brought it: by its local id, or by its id where another session's client made it. */
  absorb({ id, localId }: ShownPublished): void {
    if (localId !== null) this.#all.delete(localId);
    for (const [key, { shown }] of this.#all) {
      if (shown.state === "published" && shown.id === id) this.#all.delete(key);
    }
  }

  /** Lets go of those that lie in a gap: the log won't bring them. */
  skip({ continuesAfter }: Gap): void {
    for (const [key, { shown, isBefore }] of this.#all) {
      if (isBefore || shown.state !== "published") continue;
      const isAhead =
        shown.position.epoch === continuesAfter.epoch &&
        shown.position.offset > continuesAfter.offset;
      if (!isAhead) this.#all.delete(key);
    }
  }

  #update(localId: string, isBefore: boolean, state: Partial<ShownPublication>): void {
    const own = this.#all.get(localId);
    if (!own) return;
    this.#all.set(localId, { shown: { ...own.shown, ...state } as ShownPublication, isBefore });
  }
}
