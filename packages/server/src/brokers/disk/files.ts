/**
 * The files of a disk broker as it needs them: a port, so that faults of disks can be simulated.
 *
 * Reading a folder at the start is synchronous, since nothing can be served before that. Everything after
 * it is asynchronous.
 */

/** A file that is open. Places are counted in bytes from its beginning. */
export interface OpenFile {
  /** Writes all bytes at a place. A call that rejects may have written some of them. */
  write(bytes: Uint8Array, at: number): Promise<void>;
  /** Resolves once all that was written would survive a power loss. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  /** As many bytes, or fewer where the file ends. */
  read(at: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** One folder. Names are those of files in it. */
export interface Folder {
  /** The path, for messages. */
  readonly path: string;
  names(): readonly string[];
  contents(name: string): Buffer;
  /** Opens an existing file for reading. */
  open(name: string): OpenFile;
  /** Cuts a file to a length, for good. */
  cut(name: string, length: number): void;
  /** Removes a file, for good. */
  discard(name: string): void;
  /** Makes an empty file, and opens it. One of that name is emptied. */
  create(name: string): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file. After a power loss it may be back. */
  remove(name: string): Promise<void>;
  /** Resolves once the names of all files, as they are now, would survive a power loss. */
  sync(): Promise<void>;
}

/** No room, be it for bytes or for one more open file: it passes, and what was written before is intact. */
export class NoRoom extends Error {
  override readonly name = "NoRoom";
}

const NO_ROOM: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EMFILE", "ENFILE"]);

/** Whether an error of the file system says so. */
export function isNoRoom(error: unknown): boolean {
  return NO_ROOM.has((error as { readonly code?: unknown }).code);
}
