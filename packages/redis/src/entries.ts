/**
 * The form of publications in Redis: a body is a head of JSON, a line feed and the payload as it is.
 * It knows no connection.
 */
import { JsonText, type Payload } from "@tailwire/protocol";
import type { Append, Publication } from "@tailwire/server/broker-contract";

/** The form that this version writes, and the only one it reads. */
const FORM = 1;
const LINE_FEED = 0x0a;

/** A body's first line. */
type Head = readonly [
  form: number,
  id: string,
  publisher: string | null,
  event: string,
  isBytes: boolean,
];

/** Publications that one append brought, as Redis pushes them. */
export interface Pushed {
  readonly epoch: string;
  readonly publications: readonly Publication[];
}

export function encodeBody({ id, publisher, event, data }: Append): Buffer {
  const head: Head = [FORM, id, publisher, event, data instanceof Uint8Array];
  const payload = data instanceof Uint8Array ? data : Buffer.from(data.text);
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), payload]);
}

/** @throws Error that says so where a newer version has written it. */
export function decodeBody(body: Buffer, offset: number, timestamp: number): Publication {
  const end = body.indexOf(LINE_FEED);
  const head: unknown = JSON.parse(body.toString("utf8", 0, end));
  if (!isHead(head)) throw new Error("a newer @tailwire/redis has written to this log: update");
  const [, id, publisher, event, isBytes] = head;
  const payload = body.subarray(end + 1);
  return { id, offset, timestamp, publisher, event, data: payloadOf(payload, isBytes) };
}

function isHead(head: unknown): head is Head {
  return Array.isArray(head) && head[0] === FORM;
}

function payloadOf(payload: Buffer, isBytes: boolean): Payload {
  // Copied: a view would keep the whole page in memory for as long as the publication is.
  if (isBytes) return Uint8Array.from(payload);
  return JsonText.of(JSON.parse(payload.toString()));
}

/** Decodes a push: a line with epoch, first offset, timestamp and lengths, then the bodies. */
export function decodePush(message: Buffer): Pushed {
  const end = message.indexOf(LINE_FEED);
  const [epoch = "", first, timestamp, lengths = ""] = message.toString("utf8", 0, end).split(" ");
  let start = end + 1;
  const publications = lengths.split(",").map((length, index) => {
    const body = message.subarray(start, start + Number(length));
    start += Number(length);
    return decodeBody(body, Number(first) + index, Number(timestamp));
  });
  return { epoch, publications };
}
