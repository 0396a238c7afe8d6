/** A channel as the application on the server uses it: to publish to, and to read. */
import { JsonText, type LostRange, type Position } from "@tailwire/protocol";
import { readAsServer } from "./commands/read.ts";
import type { Publication } from "./log/broker.ts";
import type { TailwireNode } from "./node.ts";

/** One entry in a channel's log, with its data as a subscriber gets it. */
export interface LoggedPublication {
  readonly id: string;
  readonly event: string;
  /** A JSON value, or a Uint8Array. */
  readonly data: unknown;
  readonly position: Position;
  /** Unix milliseconds by the broker's clock. */
  readonly timestamp: number;
  /** Public id of the client that published it; null when the server did. */
  readonly publisher: string | null;
}

/** A piece of a channel's log. */
export interface LogPage {
  /** In the log's order, whichever way it was read. */
  readonly publications: readonly LoggedPublication[];
  /** Whether there are more in that direction. */
  readonly more: boolean;
  /** The part that the log has lost where the page was to begin; null when nothing is missing. */
  readonly gap: LostRange | null;
}

export interface LogReadOptions {
  /** Reads onwards from here, not including it. */
  readonly after?: Position | undefined;
  /** Reads backwards from here, not including it. Without either: the newest page. */
  readonly before?: Position | undefined;
  /** Publications at most, up to 1,000; 100 where left out. Large ones make a page shorter. */
  readonly limit?: number | undefined;
}

export interface ServerChannel {
  readonly name: string;
  /**
   * Adds a publication to the log, and resolves with its position. The data is a JSON value, or bytes: an
   * ArrayBuffer or any view of one, which subscribers get as a Uint8Array.
   *
   * @throws `invalid_data`, with the place, when JSON can't hold a part of the data: a Map, NaN, bytes
   * inside an object [ENC-12]; `bad_message` for a malformed event; `too_large` for data beyond
   * `limits.messageBytesMax`; `unavailable` when it certainly wasn't added; `indeterminate` when the
   * broker's answer was lost; `closed` once the server is being closed.
   */
  publish(event: string, data: unknown): Promise<{ readonly position: Position }>;
  /**
   * Reads one page of the log: what follows `after`, what precedes `before`, or else the newest.
   *
   * @throws `bad_position` or `bad_message` for malformed options; `unavailable` when the log can't be
   * read now; `closed` once the server is being closed.
   */
  read(options?: LogReadOptions): Promise<LogPage>;
}

/** Publications of a page, where nobody says otherwise. */
const PAGE_COUNT = 100;

export function serverChannel(node: TailwireNode, name: string): ServerChannel {
  return {
    name,
    publish: async (event, data) => ({ position: await node.publish(name, event, data) }),
    read: async ({ after, before, limit: count = PAGE_COUNT } = {}) => {
      node.requireOpen();
      const page = await readAsServer(node, name, {
        count,
        ...(after !== undefined && { after }),
        ...(before !== undefined && { before }),
      });
      const { publications, more, gap, position } = page;
      return {
        publications: publications.map((one) => publicationOf(one, position.epoch)),
        more,
        gap,
      };
    },
  };
}

function publicationOf(publication: Publication, epoch: string): LoggedPublication {
  const { id, event, offset, timestamp, publisher, data: payload } = publication;
  // Copies: the log's own stay as they are, whatever the application does.
  const data = payload instanceof JsonText ? payload.parse() : payload.slice();
  return { id, event, data, position: { epoch, offset, id }, timestamp, publisher };
}
