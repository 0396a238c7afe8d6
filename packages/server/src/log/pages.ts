/**
 * Pages of a log, in either direction, as `read` gives them: a gap is part of the page.
 *
 * It asks the log and keeps nothing.
 */
import { type LostRange, type Position, tailwireError } from "@tailwire/protocol";
import type { Publication } from "./broker.ts";
import type { Log } from "./log.ts";

export interface Page {
  /** The page begins right after it. */
  readonly position: Position;
  /** In the log's order, whichever way it was read. */
  readonly publications: readonly Publication[];
  /** Whether there are more in that direction. */
  readonly more: boolean;
  /** The range that the log doesn't have any more where the page was to begin; null when nothing. */
  readonly gap: LostRange | null;
}

/** The page that follows a position. @throws `unavailable`. */
export async function pageAfter(log: Log, after: Position, count: number): Promise<Page> {
  // One more than was asked for tells whether there are more.
  const read = await log.read(after, count + 1);
  const publications = read.publications.slice(0, count);
  const isGap = read.kind === "gap";
  const position = isGap ? read.gap.continuesAfter : { ...after, epoch: read.epoch };
  const last = publications.at(-1);
  const more =
    read.publications.length > count ||
    (last !== undefined && (await hasAfter(log, placeOf(last, position.epoch))));
  return { position, publications, more, gap: isGap ? { ...read.gap, from: after } : null };
}

/** The page that precedes a position, or with null the end of the log. @throws `unavailable`. */
export async function pageBefore(log: Log, before: Position | null, count: number): Promise<Page> {
  const wanted = await log.readBack(before, count + 1);
  const gap = wanted.kind === "gap" && before !== null ? { ...wanted.gap, from: before } : null;
  // From a place that the log doesn't have, what it does have is read from its end.
  const read = wanted.kind === "gap" ? await log.readBack(null, count + 1) : wanted;
  if (read.kind === "gap") throw tailwireError("unavailable", "the log has no end");
  const publications = read.publications.slice(-count);
  const [first] = publications;
  if (first === undefined) {
    const position =
      gap === null && before !== null ? before : (await log.start("latest")).position;
    return { position, publications, more: false, gap };
  }
  const earlier =
    read.publications.length > count
      ? read.publications[0]
      : await lastBefore(log, placeOf(first, read.epoch));
  const position = { epoch: read.epoch, offset: first.offset - 1, id: earlier?.id ?? null };
  return { position, publications, more: earlier !== undefined, gap };
}

function placeOf({ offset, id }: Publication, epoch: string): Position {
  return { epoch, offset, id };
}

/** Whether anything follows; bytes may have ended a page before its count did. */
async function hasAfter(log: Log, position: Position): Promise<boolean> {
  const read = await log.read(position, 1);
  return read.kind === "gap" || read.publications.length > 0;
}

async function lastBefore(log: Log, position: Position): Promise<Publication | undefined> {
  const read = await log.readBack(position, 1);
  return read.kind === "gap" ? undefined : read.publications.at(-1);
}
