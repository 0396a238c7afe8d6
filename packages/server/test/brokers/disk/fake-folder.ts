// A folder in memory, with the faults of disks: no room, errors, and power losses that keep what was synced.
import type { Folder, OpenFile } from "../../../src/brokers/disk/files.ts";

interface FakeFile {
  bytes: Buffer;
  /** As it was at the last sync: a power loss keeps no more for certain. */
  synced: Buffer;
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: it was simulated`), { code });
}

export class FakeFolder implements Folder {
  readonly path = "/fake";
  readonly files = new Map<string, FakeFile>();
  /** Bytes that fit, all files together. */
  room = Infinity;
  /** Calls that fail from now on, with EIO. */
  failing: "write" | "sync" | "read" | null = null;
  /** Syncs that were asked for. */
  syncs = 0;
  readonly #unsyncedRemovals = new Map<string, Buffer>();
  readonly #unsyncedRenames = new Map<string, string>();
  /** Held back until it is called, where it is set. */
  gate: Promise<void> | null = null;

  /** The folder as another process finds it after this one was killed: what it wrote is there. */
  killed(): FakeFolder {
    return this.#copy(({ bytes }) => bytes);
  }

  /**
   * The folder after a power loss in which each byte that wasn't synced had its own luck, and each name that
   * wasn't. `fraction` gives numbers in [0, 1).
   */
  torn(fraction: () => number): FakeFolder {
    const copy = this.#copy(({ bytes, synced }) => {
      const kept = Math.floor(fraction() * (bytes.length + 1));
      const result = Buffer.alloc(Math.max(kept, synced.length));
      bytes.copy(result);
      // Blocks reach the disk in any order.
      const hole = Math.floor(fraction() * 2 * result.length);
      result.fill(0, Math.min(hole, result.length), Math.min(hole + 64, result.length));
      synced.copy(result);
      return result;
    });
    for (const [name, bytes] of this.#unsyncedRemovals) {
      if (fraction() < 0.5) copy.files.set(name, { bytes, synced: bytes });
    }
    for (const [to, from] of this.#unsyncedRenames) {
      const file = copy.files.get(to);
      if (file === undefined || fraction() < 0.5) continue;
      copy.files.delete(to);
      copy.files.set(from, file);
    }
    return copy;
  }

  /** The folder after a power loss: only what was synced is there. */
  unplugged(): FakeFolder {
    return this.#copy(({ synced }) => synced);
  }

  get bytes(): number {
    return [...this.files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  names(): readonly string[] {
    return [...this.files.keys()];
  }

  has(name: string): Promise<boolean> {
    return Promise.resolve(this.files.has(name));
  }

  contents(name: string): Buffer {
    return Buffer.from(this.file(name).bytes);
  }

  open(name: string): OpenFile {
    return new FakeOpenFile(this, this.file(name));
  }

  cut(name: string, length: number): void {
    const file = this.file(name);
    file.bytes = file.bytes.subarray(0, length);
    file.synced = Buffer.from(file.bytes);
  }

  discard(name: string): void {
    this.files.delete(name);
  }

  async create(name: string): Promise<OpenFile> {
    await this.gate;
    const file = { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) };
    this.files.set(name, file);
    return new FakeOpenFile(this, file);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.gate;
    const file = this.file(from);
    this.files.delete(from);
    this.files.set(to, file);
    this.#unsyncedRenames.set(to, from);
  }

  async remove(name: string): Promise<void> {
    await this.gate;
    this.#unsyncedRemovals.set(name, this.file(name).synced);
    this.files.delete(name);
  }

  async sync(): Promise<void> {
    await this.gate;
    this.#unsyncedRemovals.clear();
    this.#unsyncedRenames.clear();
  }

  file(name: string): FakeFile {
    const file = this.files.get(name);
    if (file === undefined) throw failure("ENOENT");
    return file;
  }

  #copy(bytesOf: (file: FakeFile) => Buffer): FakeFolder {
    const copy = new FakeFolder();
    for (const [name, file] of this.files) {
      const bytes = Buffer.from(bytesOf(file));
      copy.files.set(name, { bytes, synced: bytes });
    }
    return copy;
  }
}

class FakeOpenFile implements OpenFile {
  readonly #folder: FakeFolder;
  readonly #file: FakeFile;

  constructor(folder: FakeFolder, file: FakeFile) {
    this.#folder = folder;
    this.#file = file;
  }

  async write(bytes: Uint8Array, at: number): Promise<void> {
    await this.#folder.gate;
    const fits = Math.max(0, Math.min(bytes.length, this.#folder.room - this.#folder.bytes));
    const end = Math.max(this.#file.bytes.length, at + fits);
    const grown = Buffer.alloc(end);
    grown.set(this.#file.bytes);
    grown.set(bytes.subarray(0, fits), at);
    this.#file.bytes = grown;
    if (this.#folder.failing === "write") throw failure("EIO");
    if (fits < bytes.length) throw failure("ENOSPC");
  }

  async sync(): Promise<void> {
    await this.#folder.gate;
    this.#folder.syncs += 1;
    if (this.#folder.failing === "sync") throw failure("EIO");
    this.#file.synced = Buffer.from(this.#file.bytes);
  }

  async truncate(length: number): Promise<void> {
    await this.#folder.gate;
    this.#file.bytes = this.#file.bytes.subarray(0, length);
  }

  async read(at: number, length: number): Promise<Buffer> {
    await this.#folder.gate;
    if (this.#folder.failing === "read") throw failure("EIO");
    return Buffer.from(this.#file.bytes.subarray(at, at + length));
  }

  async close(): Promise<void> {
    await this.#folder.gate;
  }
}
