/**
 * Records: how a segment's bytes are divided, and how damage shows.
 *
 * A record is a head of 17 bytes, a text of JSON, and a payload as it is. All records of one write, a
 * group, are synced before the next group is written. So each says where in the file its group begins: a
 * broken record with a whole one behind it, of a group that begins later, is damage and no torn write.
 *
 * The checksum begins with the segment's salt, which is nobody's to know: a payload can't pass for records,
 * and blocks of the disk that were another file's neither.
 */
import { crc32 } from "node:zlib";

/** The kinds of records. A number is never used for anything else. */
export const FORMS = {
  /** The first of a segment. Its checksum begins with 0. */
  begin: 1,
  /** A log as it stands, with its producers. */
  log: 2,
  /** A publication whose payload is JSON text. */
  text: 3,
  /** A publication whose payload is bytes. */
  bytes: 4,
  /** The last of a segment, where the broker was closed. */
  end: 5,
} as const;

const HEAD = 17;
/** Places in the head: lengths of text and payload together, checksum, group, length of the text, form. */
const [LENGTH, SUM, GROUP, TEXT_LENGTH, FORM] = [0, 4, 8, 12, 16];

/** A record that was found whole. */
export interface FoundRecord {
  readonly at: number;
  /** Bytes, the head included. */
  readonly length: number;
  /** All of it, the head included. */
  readonly whole: Buffer;
  readonly form: number;
  readonly text: string;
  readonly payload: Buffer;
}

/** A record without its seal. */
export function makeRecord(form: number, content: object, payload: Uint8Array = EMPTY): Buffer {
  const text = Buffer.from(JSON.stringify(content));
  const record = Buffer.allocUnsafe(HEAD + text.length + payload.length);
  record.writeUInt32LE(text.length + payload.length, LENGTH);
  record.writeUInt32LE(text.length, TEXT_LENGTH);
  record.writeUInt8(form, FORM);
  record.set(text, HEAD);
  record.set(payload, HEAD + text.length);
  return record;
}

const EMPTY = new Uint8Array(0);

/** Gives a record its group and its checksum, in place. */
export function seal(record: Buffer, group: number, salt: number): void {
  record.writeUInt32LE(group, GROUP);
  record.writeUInt32LE(sumOf(record, salt), SUM);
}

/** The record at a place; null where none is whole there. */
export function recordAt(file: Buffer, at: number, salt: number): FoundRecord | null {
  const record = wholeAt(file, at, salt);
  if (record === null) return null;
  const payloadAt = HEAD + record.readUInt32LE(TEXT_LENGTH);
  return {
    at,
    length: record.length,
    whole: record,
    form: record.readUInt8(FORM),
    text: record.toString("utf8", HEAD, payloadAt),
    payload: record.subarray(payloadAt),
  };
}

/** Whether a whole record lies anywhere behind a place, of a group that begins behind it. */
export function hasLaterGroup(file: Buffer, from: number, salt: number): boolean {
  for (let at = from + 1; at + HEAD <= file.length; at += 1) {
    const group = file.readUInt32LE(at + GROUP);
    if (group > from && group <= at && wholeAt(file, at, salt) !== null) return true;
  }
  return false;
}

function wholeAt(file: Buffer, at: number, salt: number): Buffer | null {
  if (at + HEAD > file.length) return null;
  const length = file.readUInt32LE(at + LENGTH);
  if (at + HEAD + length > file.length || file.readUInt32LE(at + TEXT_LENGTH) > length) return null;
  const record = file.subarray(at, at + HEAD + length);
  return record.readUInt32LE(SUM) === sumOf(record, salt) ? record : null;
}

/** The checksum of everything but itself. */
function sumOf(record: Buffer, salt: number): number {
  return crc32(record.subarray(GROUP), crc32(record.subarray(LENGTH, SUM), salt));
}
