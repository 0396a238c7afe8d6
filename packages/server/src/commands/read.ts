/**
 * The command `read`: one page of a channel's log, without following it.
 *
 * A connection's pages are read one after another, each when the one before has left.
 */
import {
  carrying,
  type Entry,
  type Outgoing,
  type ReadMessage,
  tailwireError,
  validateClientMessage,
} from "@tailwire/protocol";
import type { Publication } from "../log/broker.ts";
import type { Channel } from "../delivery/channel.ts";
import type { Connection } from "../connection/connection.ts";
import { REQUEST_BYTES } from "../connection/lanes.ts";
import { type Page, pageAfter, pageBefore } from "../log/pages.ts";
import type { Services } from "./services.ts";
import { positionOf } from "./subscribe.ts";

/** Publications of a page that take as long as a message. */
const ENTRIES_PER_MESSAGE = 8;

export function read(node: Services, connection: Connection, message: ReadMessage): void {
  const { input, lanes } = connection;
  input.account(REQUEST_BYTES);
  void lanes
    .oneByOne(() => readNow(node, connection, message))
    .finally(() => input.account(-REQUEST_BYTES));
}

async function readNow(
  node: Services,
  connection: Connection,
  message: ReadMessage,
): Promise<void> {
  if (!connection.isOpen) return;
  try {
    await connection.access.require("subscribe", message.channel);
    const channel = node.channel(message.channel);
    const page = await channel.use(() => pageOf(channel, message));
    // A fresh token may allow less than the one that was there when this began.
    await connection.access.require("subscribe", message.channel);
    const { position, publications, more, gap } = page;
    connection.input.charge(publications.length / ENTRIES_PER_MESSAGE);
    connection.say({
      type: "ack",
      re: message.id,
      position,
      publications: publications.map(entryOf),
      more,
      ...(gap === null ? {} : { gap }),
    });
  } catch (error) {
    connection.refuse(message.id, node.report(error));
  }
}

/**
 * A page for the application on the server.
 *
 * @throws `bad_position` or `bad_message` for what a client may not ask either; `unavailable`.
 */
export async function readAsServer(
  node: Services,
  name: string,
  asked: Pick<ReadMessage, "after" | "before" | "count">,
): Promise<Page> {
  const message = { type: "read", id: "r", timestamp: 0, channel: name, ...asked };
  const checked = validateClientMessage(message);
  if ("malformed" in checked) {
    const { code, detail } = checked.malformed;
    throw tailwireError(code, detail);
  }
  const channel = node.channel(name);
  try {
    return await channel.use(() => pageOf(channel, asked));
  } catch (error) {
    throw node.report(error);
  }
}

function pageOf(
  { log }: Channel,
  message: Pick<ReadMessage, "after" | "before" | "count">,
): Promise<Page> {
  const { after, before, count } = message;
  return after === undefined
    ? pageBefore(log, before === undefined ? null : positionOf(before), count)
    : pageAfter(log, positionOf(after), count);
}

function entryOf(publication: Publication): Outgoing<Entry> {
  const { id, timestamp, offset, event, publisher, data } = publication;
  return {
    id,
    timestamp,
    offset,
    event,
    publisher,
    ...carrying(data),
  };
}
