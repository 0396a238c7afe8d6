/** An entry of a log, as an application reads it. */
import { carriedValue, type Entry } from "@tailwire/protocol";
import type { Publication } from "../types.ts";

export function publicationOf(entry: Entry, epoch: string): Publication {
  const { id, event, timestamp, publisher, offset } = entry;
  const position = { epoch, offset, id };
  return { id, event, data: carriedValue(entry), position, timestamp, publisher };
}
