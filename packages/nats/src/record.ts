/**
 * A record: one message of the stream, with the publications that were appended to one channel at once.
 *
 * Everything that a node has to know of a channel's log follows from its records: a record names the log's
 * epoch, the epochs before it, and the record that it follows. It is JSON, so that NATS's own tools show it.
 */
import { JsonText, type Payload, toBase64 } from "@tailwire/protocol";
import {
  type Producer,
  type Publication,
  publicationBytes,
} from "@tailwire/server/broker-contract";

/** The form of records that this file writes, and the only one that it reads. */
const FORM = 1;

/** A publication without its place. */
export interface Entry {
  readonly id: string;
  readonly producer: Producer | null;
  readonly publisher: string | null;
  readonly event: string;
  readonly data: Payload;
}

/** An earlier epoch of a log, and the last offset that it shares with the epoch after it. */
export type Ancestor = readonly [epoch: string, last: number];

export interface LogRecord {
  /** A name of its own: the node that sent it looks for it when the answer is lost. */
  readonly token: string;
  /** Sequence of the channel's record before; 0: there is none. */
  readonly after: number;
  readonly epoch: string;
  /** The newest first. */
  readonly lineage: readonly Ancestor[];
  /** Names the store that holds the log: under another one the log goes on under a new epoch. */
  readonly history: string;
  /** Offset of its first entry; of the next one, where it has none. */
  readonly first: number;
  /** Id of the publication right before `first`; null where there is none. */
  readonly idBefore: string | null;
  /** Bytes of all publications before `first`. */
  readonly bytesBefore: number;
  /** Unix milliseconds, by the clock of the node that appended it, never below the record before. */
  readonly timestamp: number;
  readonly entries: readonly Entry[];
}

/** A record in its place. */
export interface StoredRecord extends LogRecord {
  /** Its sequence in the stream. */
  readonly sequence: number;
}

/** A record's text. Entries are arrays, and JSON payloads stand in them as they are. */
export function encodeRecord({ entries, ...head }: LogRecord): string {
  const texts = entries.map(({ id, producer, publisher, event, data }) => {
    const isText = data instanceof JsonText;
    const fields = JSON.stringify([id, publisher, event, producerFields(producer), isText ? 0 : 1]);
    return `${fields.slice(0, -1)},${isText ? data.text : `"${toBase64(data)}"`}]`;
  });
  const fields = JSON.stringify({ form: FORM, ...head });
  return `${fields.slice(0, -1)},"entries":[${texts.join(",")}]}`;
}

type ProducerFields = readonly [string, number, number, number, number] | null;
type EntryFields = readonly [string, string | null, string, ProducerFields, 0 | 1, unknown];

function producerFields(producer: Producer | null): ProducerFields {
  if (producer === null) return null;
  const { id, generation, sequence, settled, fingerprint } = producer;
  return [id, generation, sequence, settled, fingerprint];
}

/** @throws Error for a record of another form. */
export function decodeRecord(sequence: number, data: Uint8Array): StoredRecord {
  const parsed: unknown = JSON.parse(new TextDecoder().decode(data));
  const { form, entries, ...head } = parsed as Omit<LogRecord, "entries"> & {
    readonly form: number;
    readonly entries: readonly EntryFields[];
  };
  if (form !== FORM) {
    throw new Error(`record ${sequence} has the form ${form}, and this version reads ${FORM}`);
  }
  return { ...head, sequence, entries: entries.map(entryOf) };
}

function entryOf([id, publisher, event, producer, isBytes, content]: EntryFields): Entry {
  const data =
    isBytes === 1 ? new Uint8Array(Buffer.from(content as string, "base64")) : JsonText.of(content);
  if (producer === null) return { id, publisher, event, producer: null, data };
  const [its, generation, place, settled, fingerprint] = producer;
  const known = { id: its, generation, sequence: place, settled, fingerprint };
  return { id, publisher, event, producer: known, data };
}

/** Offset of a record's last publication, or of the last before it where it has none. */
export function lastOf({ first, entries }: LogRecord): number {
  return first + entries.length - 1;
}

export function lastIdOf({ entries, idBefore }: LogRecord): string | null {
  return entries.at(-1)?.id ?? idBefore;
}

/** Bytes of all publications up to a record's end. */
export function bytesOf({ bytesBefore, entries }: LogRecord): number {
  return entries.reduce((sum, entry) => sum + publicationBytes(entry), bytesBefore);
}

export function publicationsOf({ first, timestamp, entries }: LogRecord): readonly Publication[] {
  return entries.map(({ id, publisher, event, data }, index) => ({
    id,
    offset: first + index,
    timestamp,
    publisher,
    event,
    data,
  }));
}
