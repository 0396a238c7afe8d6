/**
 * The third readers, one for each page that asked for one, until that page has been gone for a
 * while. It is told of pages by the users that they connect as, and knows nothing else of them.
 */
import { isChannelName, TailwireError } from "@tailwire/protocol";
import type { Address } from "./slow-line.ts";
import { type ReaderSample, ThirdReader } from "./third-reader.ts";

/** Each takes a socket and a client. Nobody has that many tabs open to look at them. */
const READERS_MAX = 32;
/** Long enough for a page to reconnect, or to come back out of the browser's cache. */
const GRACE_MS = 30_000;

export interface ThirdReadersOptions {
  /** Where the server is reached, once it listens. */
  readonly address: () => Address;
  readonly path: string;
  /** Publishes how an owner's reader is doing. */
  readonly publish: (owner: string, sample: ReaderSample) => Promise<unknown>;
}

interface Owner {
  connections: number;
  reader: Promise<ThirdReader> | null;
  /** Set while it is away. */
  timer: NodeJS.Timeout | undefined;
}

export class ThirdReaders {
  readonly #options: ThirdReadersOptions;
  readonly #owners = new Map<string, Owner>();

  constructor(options: ThirdReadersOptions) {
    this.#options = options;
  }

  connected(user: string): void {
    const owner = this.#owners.get(user) ?? { connections: 0, reader: null, timer: undefined };
    this.#owners.set(user, owner);
    owner.connections += 1;
    clearTimeout(owner.timer);
  }

  disconnected(user: string): void {
    const owner = this.#owners.get(user);
    if (owner === undefined) return;
    owner.connections -= 1;
    if (owner.connections > 0) return;
    if (owner.reader === null) this.#owners.delete(user);
    else owner.timer = setTimeout(() => void this.#forget(user), GRACE_MS).unref();
  }

  /**
   * Makes sure that a user has a reader, and sets its pace. The answer to the page's request.
   *
   * @throws TailwireError `bad_request`, `too_many_readers`.
   */
  async set(user: string, input: unknown): Promise<null> {
    const { channel, slow } = orderOf(input);
    const owner = this.#owners.get(user);
    if (owner === undefined) return null;
    owner.reader ??= this.#start(user, channel);
    try {
      (await owner.reader).slow = slow;
    } catch (error) {
      owner.reader = null;
      throw error;
    }
    return null;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#owners.keys()].map((user) => this.#forget(user)));
  }

  #start(user: string, channel: string): Promise<ThirdReader> {
    const readers = [...this.#owners.values()].filter(({ reader }) => reader !== null);
    if (readers.length >= READERS_MAX) throw refusal("too_many_readers", "Close a few tabs.");
    const { address, path, publish } = this.#options;
    return ThirdReader.start({
      address: address(),
      path,
      user: `reader-of-${user}`,
      channel,
      publish: (sample) => publish(user, sample),
    });
  }

  async #forget(user: string): Promise<void> {
    const owner = this.#owners.get(user);
    this.#owners.delete(user);
    clearTimeout(owner?.timer);
    // One that couldn't start has nothing to close.
    await owner?.reader?.then((reader) => reader.close()).catch(() => undefined);
  }
}

function orderOf(input: unknown): { readonly channel: string; readonly slow: boolean } {
  const { channel, slow } = (input ?? {}) as {
    readonly channel?: unknown;
    readonly slow?: unknown;
  };
  if (typeof channel === "string" && isChannelName(channel) && typeof slow === "boolean") {
    if (channel.startsWith("demo:")) return { channel, slow };
  }
  throw refusal("bad_request", "Say which channel to read, and whether slowly.");
}

function refusal(code: string, description: string): TailwireError {
  return new TailwireError({ code, description, fault: "client", retry: false });
}
