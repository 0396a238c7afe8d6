/**
 * The third reader: a Node client in this very process, which follows a page's load over a line
 * that can be made slow. It says how far it is; what that means is the page's business.
 */
import { type Client, createClient, type Subscription } from "@tailwire/client";
import { type Address, SlowLine } from "./slow-line.ts";

const SAMPLE_MS = 100;

/** How a third reader is doing, as `page/third.ts` reads it. */
export interface ReaderSample {
  readonly slow: boolean;
  /** The last offset that it has read. */
  readonly offset: number;
  /** Offsets that were passed over, and nobody told. */
  readonly missed: number;
  /** Offsets that came again. */
  readonly duplicated: number;
  /** Publications that a gap said are lost. */
  readonly toldMissing: number;
}

export interface ThirdReaderOptions {
  /** The server's address. */
  readonly address: Address;
  readonly path: string;
  readonly user: string;
  readonly channel: string;
  /** Publishes how it is doing, whenever that has changed. */
  readonly publish: (sample: ReaderSample) => Promise<unknown>;
}

export class ThirdReader {
  readonly #options: ThirdReaderOptions;
  readonly #line: SlowLine;
  readonly #client: Client;
  readonly #subscription: Subscription;
  readonly #timer: NodeJS.Timeout;
  /** The last offset that was read; null before the first, which tells where it began. */
  #offset: number | null = null;
  #missed = 0;
  #duplicated = 0;
  #toldMissing = 0;
  #published = "";

  private constructor(options: ThirdReaderOptions, line: SlowLine) {
    const { path, user, channel } = options;
    this.#options = options;
    this.#line = line;
    this.#client = createClient(`ws://127.0.0.1:${line.port}${path}`, { getToken: () => user });
    this.#subscription = this.#client.channel(channel).subscribe();
    this.#subscription.onGap(({ lost, continuesAfter }) => {
      this.#toldMissing += lost ?? 0;
      this.#offset = continuesAfter.offset;
    });
    // Why it can't go on is told by `ready`.
    this.#read().catch(() => undefined);
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** Begins to follow the channel. Resolves when it does. */
  static async start(options: ThirdReaderOptions): Promise<ThirdReader> {
    const reader = new ThirdReader(options, await SlowLine.to(options.address));
    try {
      await reader.#subscription.ready;
    } catch (error) {
      await reader.close();
      throw error;
    }
    return reader;
  }

  set slow(slow: boolean) {
    this.#line.slow = slow;
    // It may be waiting to connect again, which a fast line is a good reason for.
    if (!slow) this.#client.retryNow();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#client.close();
    this.#line.close();
  }

  async #read(): Promise<void> {
    for await (const { position } of this.#subscription) {
      const { offset } = position;
      const before = this.#last;
      if (offset <= before) this.#duplicated += 1;
      else this.#missed += offset - before - 1;
      this.#offset = Math.max(before, offset);
    }
  }

  /** Until something was read, the position is where the server has put the subscription. */
  get #last(): number {
    return this.#offset ?? this.#subscription.position?.offset ?? 0;
  }

  #sample(): void {
    const sample: ReaderSample = {
      slow: this.#line.slow,
      offset: this.#last,
      missed: this.#missed,
      duplicated: this.#duplicated,
      toldMissing: this.#toldMissing,
    };
    const words = JSON.stringify(sample);
    if (words === this.#published) return;
    this.#published = words;
    // A sample that can't be logged is not worth more than the next one.
    this.#options.publish(sample).catch(() => undefined);
  }
}
