/**
 * An application's arguments, checked before anything is done with them: a mistake costs its caller an
 * error, and never the connection, which a server closes at the third malformed message [MSG-7].
 * It knows no channel, and nothing of what follows.
 */
import {
  type AbortSignalLike,
  isEventName,
  isLike,
  localError,
  type Position,
  PROTOCOL_LIMITS,
  type Start,
  wordsOf,
} from "@tailwire/protocol";

/** Anything, as far as it has fields. */
type Table = Readonly<Record<string, unknown>>;

const SIGNAL = { addEventListener: refuse, removeEventListener: refuse };

/** `argument` begins with a word for which the description's full form has the rule. */
function refuse(argument: string): never {
  throw localError("bad_message", argument);
}

function isInteger(value: unknown, min: number, max: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

function isText(value: unknown, lengthMax: number): value is string {
  return typeof value === "string" && isInteger(value.length, 1, lengthMax);
}

/** The name of an event or of a request. @throws `bad_message`. */
export function checkName(name: string): void {
  if (!isEventName(name)) refuse(`name "${wordsOf(name)}"`);
}

/** How long something may take, and what takes it back. @throws `bad_message`. */
export function checkWait(signal: AbortSignalLike | undefined, ms = 0): void {
  if (typeof ms !== "number" || !(ms >= 0)) refuse(`time ${wordsOf(ms)}`);
  if (signal !== undefined && !isLike(signal, SIGNAL)) refuse("signal");
}

/** How many publications a page may have. @throws `bad_message`. */
export function checkCount(count: number): void {
  if (!isInteger(count, 1, PROTOCOL_LIMITS.pageCountMax)) refuse(`limit ${wordsOf(count)}`);
}

/** A position's three fields, and nothing else that it may have got. @throws `bad_position`. */
export function checkedPosition(given: Position): Position {
  const { epoch, offset, id } = Object(given) as Position;
  if (
    !isText(epoch, PROTOCOL_LIMITS.epochLengthMax) ||
    !isInteger(offset, 0, Infinity) ||
    (id !== null && !isText(id, PROTOCOL_LIMITS.publicationIdLengthMax))
  ) {
    throw localError("bad_position");
  }
  return { epoch, offset, id };
}

/** Where a subscription may begin. @throws `bad_position` for a position, else `bad_message`. */
export function checkedStart(given: Start): Start {
  if (given === "latest" || given === "earliest") return given;
  const { rewind } = Object(given) as Table;
  if (typeof given === "object" && given !== null && rewind === undefined)
    return checkedPosition(given as Position);
  const { count, ageMs } = Object(rewind) as Table;
  if (isInteger(count, 0, PROTOCOL_LIMITS.rewindCountMax)) return { rewind: { count } };
  if (count === undefined && isInteger(ageMs, 0, Infinity)) return { rewind: { ageMs } };
  return refuse("start");
}
