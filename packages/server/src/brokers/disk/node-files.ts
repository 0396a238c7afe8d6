/** A folder of the file system, by Node's `fs`. */
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Folder, OpenFile } from "./files.ts";

const write = promisify(fs.write);
const read = promisify(fs.read);
const fdatasync = promisify(fs.fdatasync);
const ftruncate = promisify(fs.ftruncate);
const open = promisify(fs.open);
const close = promisify(fs.close);

/** A folder by its absolute path. It is made where it isn't there. @throws Error of the file system. */
export function nodeFolder(path: string): Folder {
  const first = fs.mkdirSync(path, { recursive: true });
  if (first !== undefined) syncParents(path, first);
  return new NodeFolder(path);
}

/** A folder that was made is lost with a power loss unless its parent is synced. */
function syncParents(path: string, first: string): void {
  const parent = dirname(path);
  syncFolder(parent);
  if (path !== first && parent !== path) syncParents(parent, first);
}

function syncFolder(path: string): void {
  // Windows opens no folders, and keeps names without being asked.
  if (process.platform === "win32") return;
  const fd = fs.openSync(path, "r");
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

class NodeFolder implements Folder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  names(): readonly string[] {
    return fs.readdirSync(this.path);
  }

  has(name: string): Promise<boolean> {
    return fs.promises.access(join(this.path, name)).then(
      () => true,
      () => false,
    );
  }

  contents(name: string): Buffer {
    return fs.readFileSync(join(this.path, name));
  }

  open(name: string): OpenFile {
    return new NodeFile(fs.openSync(join(this.path, name), "r"));
  }

  cut(name: string, length: number): void {
    const fd = fs.openSync(join(this.path, name), "r+");
    try {
      fs.ftruncateSync(fd, length);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  discard(name: string): void {
    fs.unlinkSync(join(this.path, name));
    syncFolder(this.path);
  }

  async create(name: string): Promise<OpenFile> {
    return new NodeFile(await open(join(this.path, name), "w+"));
  }

  async rename(from: string, to: string): Promise<void> {
    await fs.promises.rename(join(this.path, from), join(this.path, to));
  }

  async remove(name: string): Promise<void> {
    await fs.promises.unlink(join(this.path, name));
  }

  async sync(): Promise<void> {
    if (process.platform === "win32") return;
    const folder = await fs.promises.open(this.path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

class NodeFile implements OpenFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async write(bytes: Uint8Array, at: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await write(this.#fd, bytes, done, bytes.length - done, at + done);
      done += bytesWritten;
    }
  }

  sync(): Promise<void> {
    return fdatasync(this.#fd);
  }

  truncate(length: number): Promise<void> {
    return ftruncate(this.#fd, length);
  }

  async read(at: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await read(this.#fd, buffer, done, length - done, at + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return buffer.subarray(0, done);
  }

  close(): Promise<void> {
    return close(this.#fd);
  }
}
