/** An entry of a log, as an application reads it. */
import { carriedValue, type Entry } from "@tailwire/protocol";
import type { Publication } from "../types.ts";

/** `client` is this client's own public id, as far as it has one. */
export function publicationOf(
  entry: Entry,
  epoch: string,
  client: string | undefined,
): Publication {
  const { id, event, timestamp, publisher, offset } = entry;
  const position = { epoch, offset, id };
  // An id begins with its publisher's, and ends with the request's [PUB-2].
  const localId = publisher !== null && publisher === client ? id.slice(client.length + 1) : null;
  return { id, event, data: carriedValue(entry), position, timestamp, publisher, localId };
}
