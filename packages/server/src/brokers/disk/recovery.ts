/**
 * Recovery: a folder's segments read at the start, into logs and the places of their publications.
 *
 * Whatever was acknowledged was synced, and is found, so logs keep their epochs however the last process
 * ended. The last segment may end in a torn write, of which nobody was told: it is cut off.
 */
import type { Producer } from "../../log/broker.ts";
import { publicationBytes } from "../../log/broker.ts";
import {
  type BeginContent,
  type EndContent,
  LAYOUT,
  type LogContent,
  type PublicationContent,
} from "./contents.ts";
import { damageAt, directoryError } from "./directory-error.ts";
import type { Folder } from "./files.ts";
import { FORMS, type FoundRecord, hasLaterGroup, recordAt } from "./records.ts";
import { type Place, Segment } from "./segment.ts";

/** A log as it was found. */
export interface FoundLog {
  readonly content: LogContent;
  /** Its publications by offset, those included that aren't retained any more. */
  readonly places: Map<number, Place>;
  /** Appended since `content` was written, in order. */
  readonly appended: { readonly producer: Producer; readonly offset: number }[];
}

export interface Found {
  readonly segments: readonly Segment[];
  readonly logs: ReadonlyMap<string, FoundLog>;
  /** How far back no producer was forgotten before its time when the last process ended, at least. */
  readonly remembersMs: number;
}

const SEGMENT = /^\d{8}\.segment$/;
/** A segment whose beginning isn't synced yet, so that nothing was appended to it. */
const UNBEGUN = /^\d{8}\.new$/;

export function segmentName(number: number): string {
  return `${String(number).padStart(8, "0")}.segment`;
}

export function segmentNumber(name: string): number {
  return Number.parseInt(name, 10);
}

export function unbegunName(number: number): string {
  return `${String(number).padStart(8, "0")}.new`;
}

/**
 * Reads a folder, and mends what a crash has left.
 *
 * @throws `directory_foreign`, `directory_damaged`, `directory_unknown` for what a later version wrote, and
 * errors of the file system.
 */
export function recover(folder: Folder, isOurs: (name: string) => boolean): Found {
  const names = folder.names().toSorted();
  const segments = names.filter((name) => SEGMENT.test(name));
  const stranger = names.find((name) => !UNBEGUN.test(name) && !isOurs(name));
  if (segments.length === 0 && stranger !== undefined) {
    throw directoryError(
      "directory_foreign",
      `${folder.path} holds other files, such as ${stranger}. Give an empty directory, or a new one.`,
    );
  }
  for (const name of names) if (UNBEGUN.test(name)) folder.discard(name);
  const recovery = new Recovery(folder);
  try {
    for (const name of segments) recovery.add(name, name === segments.at(-1));
    return recovery;
  } catch (error) {
    for (const segment of recovery.segments) segment.retire();
    throw error;
  }
}

class Recovery implements Found {
  readonly segments: Segment[] = [];
  logs = new Map<string, FoundLog>();
  remembersMs = 0;
  readonly #folder: Folder;

  constructor(folder: Folder) {
    this.#folder = folder;
  }

  /** Adds the next segment. Only the last may be torn. */
  add(name: string, isLast: boolean): void {
    const file = this.#folder.contents(name);
    const { begin, logs, end: start } = startOf(this.#path(name), file);
    this.remembersMs = begin.remembersMs;
    this.logs = new Map(logs.map((content) => [content.channel, this.#taken(content)]));
    const segment = new Segment(name, this.#folder.open(name), begin.salt, start);
    this.segments.push(segment);
    for (const record of recordsFrom(file, start, begin.salt)) {
      this.#take(record, segment);
      segment.size = record.at + record.length;
    }
    const { size } = segment;
    const isTorn = size < file.length && isLast && !hasLaterGroup(file, size, begin.salt);
    if (size < file.length && !isTorn) throw damageAt(this.#path(name), size);
    // The records found may not be on the medium yet, and will be read by others.
    if (isLast) this.#folder.cut(name, size);
  }

  #path(name: string): string {
    return `${this.#folder.path}/${name}`;
  }

  /** A log as it stood at one moment, with the places that are known of it. */
  #taken(content: LogContent): FoundLog {
    const former = this.logs.get(content.channel);
    const places =
      former?.content.epoch === content.epoch ? former.places : new Map<number, Place>();
    return { content, places, appended: [] };
  }

  #take(record: FoundRecord, segment: Segment): void {
    const content: unknown = JSON.parse(record.text);
    switch (record.form) {
      case FORMS.log:
        this.logs.set((content as LogContent).channel, this.#taken(content as LogContent));
        return;
      case FORMS.text:
      case FORMS.bytes:
        return this.#takePublication(content as PublicationContent, record, segment);
      case FORMS.end:
        this.remembersMs = (content as EndContent).remembersMs;
        return;
      default:
        throw directoryError(
          "directory_unknown",
          `${this.#path(segment.name)} has records of the form ${record.form}, which this version ` +
            "doesn't know. Use the version that wrote them.",
        );
    }
  }

  #takePublication(
    content: PublicationContent,
    { at, length, payload }: FoundRecord,
    segment: Segment,
  ): void {
    const log = this.logs.get(content.channel);
    if (log?.content.epoch !== content.epoch) return;
    const { id, offset, timestamp, producer } = content;
    const size = publicationBytes({ ...content, data: payload });
    log.places.set(offset, { id, offset, timestamp, size, segment, at, length });
    // A lower offset is a copy, and its producer was in the log's record.
    if (producer !== null && offset > log.content.last) log.appended.push({ producer, offset });
  }
}

interface SegmentStart {
  readonly begin: BeginContent;
  readonly logs: readonly LogContent[];
  /** Where the rest follows. */
  readonly end: number;
}

/** The beginning of a segment. @throws Error where it isn't whole, or of another layout. */
function startOf(path: string, file: Buffer): SegmentStart {
  const first = recordAt(file, 0, 0);
  if (first?.form !== FORMS.begin) throw damageAt(path, 0);
  const begin = JSON.parse(first.text) as BeginContent;
  if (begin.layout !== LAYOUT) {
    throw directoryError(
      "directory_unknown",
      `${path} has the layout ${begin.layout}, and this version knows ${LAYOUT} only. Use the version that wrote it.`,
    );
  }
  const logs: LogContent[] = [];
  let at = first.length;
  while (logs.length < begin.logs) {
    const record = recordAt(file, at, begin.salt);
    if (record?.form !== FORMS.log) throw damageAt(path, at);
    logs.push(JSON.parse(record.text) as LogContent);
    at += record.length;
  }
  return { begin, logs, end: at };
}

function* recordsFrom(file: Buffer, from: number, salt: number): Generator<FoundRecord> {
  let at = from;
  for (;;) {
    const record = recordAt(file, at, salt);
    if (record === null) return;
    yield record;
    at += record.length;
  }
}
