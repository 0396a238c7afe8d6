/**
 * Values that a broker gives, looked at before they are believed: a broker may be the application's own,
 * and a value that breaks the contract must reach neither a client nor a timer. It doesn't know what was
 * asked, nor who is told of a breach.
 */
import { ERROR_CODES, fits, JsonText, type Position, SERVER_MESSAGES } from "@tailwire/protocol";
import type { AppendResult, BrokerState, Publication, ReadResult, Tail } from "./broker.ts";
import { inWords } from "../support/mistake.ts";

const { epoch: EPOCH, gap: GAP, publication: PUBLICATION } = SERVER_MESSAGES;

/** Whether a publication's field is one that clients take. */
const FIELDS: Readonly<Record<keyof Publication, (value: unknown) => boolean>> = {
  id: (value) => typeof value === "string" && value !== "",
  offset: (value) => fits(value, PUBLICATION.offset),
  timestamp: (value) => Number.isSafeInteger(value),
  publisher: (value) => fits(value, PUBLICATION.publisher),
  event: (value) => fits(value, PUBLICATION.event),
  data: (value) => value instanceof JsonText || value instanceof Uint8Array,
};
const NAMES = Object.keys(FIELDS) as readonly (keyof Publication)[];

/** One of an append's results. @throws TypeError where there is none. */
export function givenResult(results: readonly AppendResult[], index: number): AppendResult {
  const result = results[index];
  const isResult =
    result?.kind === "appended"
      ? typeof result.duplicate === "boolean" && fits(result.position, EPOCH.position)
      : result?.kind === "refused" && Object.hasOwn(ERROR_CODES, result.code);
  if (result === undefined || !isResult)
    throw new TypeError(`there is no result for entry ${index}`);
  return result;
}

/** A push, or a page. @throws TypeError. */
export function checkPublications(epoch: string, publications: readonly Publication[]): void {
  if (typeof epoch !== "string") throw new TypeError(`the epoch is ${inWords(epoch)}`);
  if (!Array.isArray(publications))
    throw new TypeError(`the publications are ${inWords(publications)}`);
  for (const publication of publications) {
    const misfit = NAMES.find((name) => !FIELDS[name](publication[name]));
    if (misfit === undefined) continue;
    throw new TypeError(`a publication's ${misfit} is ${inWords(publication[misfit])}`);
  }
}

/** @throws TypeError. */
export function givenPosition(position: Position): Position {
  if (fits(position, EPOCH.position)) return position;
  throw new TypeError("the position is none");
}

/** @throws TypeError. */
export function givenRead(read: ReadResult): ReadResult {
  if (read.kind !== "gap") {
    checkPublications(read.epoch, read.publications);
    return read;
  }
  const { reason, to, continuesAfter, lost } = read.gap;
  if (!fits(reason, GAP.reason) || !fits(lost, GAP.lost)) throw new TypeError("the gap is none");
  givenPosition(to);
  checkPublications(givenPosition(continuesAfter).epoch, read.publications);
  return read;
}

/** @throws TypeError. */
export function givenTail(tail: Tail): Tail {
  if (typeof tail.close !== "function") throw new TypeError("the tail has no close");
  givenPosition(tail.position);
  return tail;
}

/** A copy, since it is read again. @throws TypeError. */
export function givenState(state: BrokerState): BrokerState {
  const { kind } = state;
  if (kind === "up") return { kind };
  if (kind === "down") return { kind, reason: String(state.reason) };
  throw new TypeError("the state is neither up nor down");
}
