/** The contents of records: publications, logs with their producers, and a segment's beginning and end. */
import { JsonText } from "@tailwire/protocol";
import type { Checkpoint } from "../../log/append-rules.ts";
import type { Producer, Publication, Retention } from "../../log/broker.ts";
import { FORMS, type FoundRecord, makeRecord } from "./records.ts";

/** The version of the layout. One that differs is refused. */
export const LAYOUT = 1;

/** The beginning of a segment: as many logs follow, each in a record of its own. */
export interface BeginContent extends EndContent {
  readonly layout: number;
  readonly salt: number;
  readonly logs: number;
}

/** The end of a segment. */
export interface EndContent {
  /** How far back no producer has been forgotten before its time, in milliseconds. */
  readonly remembersMs: number;
}

/** A log as it stands, and a new one. */
export interface LogContent {
  readonly channel: string;
  readonly epoch: string;
  /** Offset, id and timestamp of its last publication. */
  readonly last: number;
  readonly lastId: string | null;
  readonly lastAt: number;
  /** Null: no limit, for which JSON has no number. */
  readonly retention: { readonly [Name in keyof Retention]: number | null };
  readonly producers: Checkpoint;
}

/** A publication without its payload. */
export interface PublicationContent extends Omit<Publication, "data"> {
  readonly channel: string;
  readonly epoch: string;
  readonly producer: Producer | null;
}

export function publicationRecord(
  { id, offset, timestamp, publisher, event, data }: Publication,
  { channel, epoch, producer }: Pick<PublicationContent, "channel" | "epoch" | "producer">,
): Buffer {
  const content: PublicationContent = {
    channel,
    epoch,
    id,
    offset,
    timestamp,
    publisher,
    event,
    producer,
  };
  return data instanceof JsonText
    ? makeRecord(FORMS.text, content, Buffer.from(data.text))
    : makeRecord(FORMS.bytes, content, data);
}

/** The publication in a record, as it was given. */
export function publicationOf({ form, text, payload }: FoundRecord): Publication {
  const { id, offset, timestamp, publisher, event } = JSON.parse(text) as PublicationContent;
  const data =
    form === FORMS.text
      ? JsonText.of(JSON.parse(payload.toString()))
      : new Uint8Array(payload.buffer, payload.byteOffset, payload.length).slice();
  return { id, offset, timestamp, publisher, event, data };
}

export function storedRetention(retention: Retention): LogContent["retention"] {
  const stored = (limit: number): number | null => (limit === Infinity ? null : limit);
  const { count, bytes, maxAgeMs } = retention;
  return { count: stored(count), bytes: stored(bytes), maxAgeMs: stored(maxAgeMs) };
}

export function retentionFrom(stored: LogContent["retention"]): Retention {
  const { count, bytes, maxAgeMs } = stored;
  return {
    count: count ?? Infinity,
    bytes: bytes ?? Infinity,
    maxAgeMs: maxAgeMs ?? Infinity,
  };
}
