/**
 * One WebSocket on Node, as the core sees it.
 *
 * `ws` does the handshake, parses what comes in and answers control frames. Publications go out
 * beside it: frames that are built once for all subscribers are written to the socket that the
 * upgrade handed over. That keeps order with `ws.send`, as long as compression is off and nothing
 * is written after a close began; `test/drivers/ws-contract.test.ts` holds `ws` to this.
 */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { Connection } from "../connection/connection.ts";
import type { Transport } from "../ports.ts";
import { FrameMeter } from "./frame-meter.ts";

const EMPTY = Buffer.alloc(0);

/** Room for the frames of one write: a flush, and the slice that it may go over by. */
const SCRATCH_BYTES = 262_144;

/** The smallest scratch, for a line or two. */
const SCRATCH_BYTES_MIN = 4_096;

/**
 * Scratches by their size, shared by all sockets: one is free again as soon as the kernel has taken a
 * write whole. A write that waits keeps its scratch, so that is at most four times as large as the write.
 */
const scratches = new Map<number, Buffer>();

export class NodeTransport implements Transport {
  readonly #ws: WebSocket;
  readonly #socket: Socket;
  readonly #encrypted: boolean;
  /** Made when it is first needed: most sockets take every write at once. */
  #onDrained: ((error?: Error | null) => void) | null = null;

  constructor(ws: WebSocket, socket: Socket) {
    this.#ws = ws;
    this.#socket = socket;
    this.#encrypted = "encrypted" in socket;
  }

  write(frames: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (this.#ws.readyState !== this.#ws.OPEN || socket.destroyed) return true;
    if (this.#encrypted) {
      // Under TLS a write is never done at once, so nothing of it can be reused either.
      socket.write(
        frames.length === 1 ? (frames[0] as Uint8Array) : Buffer.concat(frames),
        this.#drained,
      );
      return false;
    }
    const bytes = join(frames);
    socket.write(bytes);
    if (socket.writableLength === 0) return true;
    if (scratches.get(bytes.buffer.byteLength)?.buffer === bytes.buffer) {
      scratches.delete(bytes.buffer.byteLength);
    }
    socket.write(EMPTY, this.#drained);
    return false;
  }

  get #drained(): (error?: Error | null) => void {
    this.#onDrained ??= (error) => {
      // After an error the socket's close follows, which says all there is to say.
      if (error === undefined || error === null)
        guard(this.#ws, (connection) => connection.drained());
    };
    return this.#onDrained;
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  close(code: number, reason: string): void {
    // Nobody hears them any more, and as many may be on their way as there are bytes.
    this.#ws.off("message", onMessage);
    this.#ws.close(code, reason);
  }

  destroy(): void {
    this.#ws.terminate();
  }
}

/** Several frames as one buffer: one write costs far more than copying 64 KiB. */
function join(frames: readonly Uint8Array[]): Uint8Array {
  if (frames.length === 1) return frames[0] as Uint8Array;
  let length = 0;
  for (const frame of frames) length += frame.length;
  if (length > SCRATCH_BYTES) return Buffer.concat(frames);
  const scratch = scratchFor(length);
  let at = 0;
  for (const frame of frames) {
    scratch.set(frame, at);
    at += frame.length;
  }
  return scratch.subarray(0, length);
}

function scratchFor(length: number): Buffer {
  let size = SCRATCH_BYTES_MIN;
  while (size < length) size *= 4;
  const known = scratches.get(size);
  if (known !== undefined) return known;
  const made = Buffer.allocUnsafeSlow(size);
  scratches.set(size, made);
  return made;
}

/** A connection, as far as its socket calls it. */
export interface Wirable extends Pick<Connection, "drained" | "gone" | "failed"> {
  readonly input: Pick<Connection["input"], "arrived" | "message">;
  readonly heartbeat: Pick<Connection["heartbeat"], "assemble">;
}

/** A WebSocket that knows its connection, so that handlers are shared and not made for each. */
interface Wired extends WebSocket {
  tailwire: Wirable;
}

/** A socket whose frames are counted for a connection, before `ws` is given them. */
interface Metered extends Socket {
  tailwire: Wirable;
  tailwireFrames: FrameMeter;
}

/** Joins a WebSocket, and the socket below it, to a connection. */
export function wire(ws: WebSocket, socket: Socket, connection: Wirable): void {
  (ws as Wired).tailwire = connection;
  ws.on("message", onMessage);
  ws.on("close", onClose);
  const metered = socket as Metered;
  metered.tailwire = connection;
  metered.tailwireFrames = new FrameMeter();
  // Before `ws`: what is over the limit is known before it is parsed.
  metered.prependListener("data", onData);
}

function onData(this: Socket, piece: Buffer): void {
  guard(this, (connection) => {
    const met = (this as Metered).tailwireFrames.read(piece);
    connection.input.arrived(piece.length, met.frames, met.controlFrames);
    connection.heartbeat.assemble(met.isPartial, met.hasCompleted);
  });
}

/** Tells the connection. A throw would end the process; so it is the end of this connection alone. */
function guard(of: WebSocket | Socket, tell: (connection: Wirable) => void): void {
  const { tailwire } = of as Wired | Metered;
  try {
    tell(tailwire);
  } catch (thrown) {
    try {
      tailwire.failed(thrown);
    } catch {
      if ("terminate" in of) of.terminate();
      else of.destroy();
    }
  }
}

function onMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
  const bytes = data as Buffer;
  guard(this, (connection) => connection.input.message(isBinary ? bytes : bytes.toString()));
}

function onClose(this: WebSocket): void {
  guard(this, (connection) => connection.gone());
}

/** Bytes that are read at most from a socket that nobody listens to any more. */
const FAREWELL_BYTES_MAX = 65_536;

/**
 * Reads a socket that is told why it ends, so that the answer arrives: one that is closed with unread
 * input is reset. Input beyond a little isn't read.
 */
export function readFarewell(socket: Socket): void {
  let left = FAREWELL_BYTES_MAX;
  socket.on("data", ({ length }: Buffer) => {
    left -= length;
    if (left < 0) socket.pause();
  });
}
