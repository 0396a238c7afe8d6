/**
 * The log that the broker contract's cases are about: one channel's, with one producer.
 *
 * It says in a word what takes a broker several, and knows no case.
 */
import { JsonText, type Payload, type Position, type Repeat, type Start } from "@tailwire/protocol";
import type { Append, BrokerLog, Publication, Retention } from "../../log/broker.ts";
import { fingerprint } from "../../log/fingerprint.ts";
import type { BrokerContext } from "./case.ts";
import { equal, positionOf, publicationsOf, word } from "./expect.ts";

const RETENTION: Retention = { count: 1_000, bytes: 1_000_000, maxAgeMs: 3_600_000 };
/** A page that holds whatever a case appends. */
export const ALL = { count: 1_000, bytes: 1_000_000 };

/** Longer ago than any broker under test began. */
export const LONG_AGO_MS = 1_000_000_000_000;

/** An append in the words of the cases. */
export interface Said extends Partial<Pick<Append, "event" | "data" | "publisher" | "notAfter">> {
  /** The producer's id. Null: none. */
  readonly producer?: string | null;
  readonly generation?: number;
  /** The place of its id among those of this log, where left out. */
  readonly sequence?: number;
  readonly settled?: number;
  /** The payload that was sent, where it isn't the one to log. */
  readonly sent?: Payload;
  readonly repeat?: Repeat;
}

/** For a publication that may have been appended before. */
export const AGAIN: Said = { repeat: { ageMs: 0 } };

/** One channel's log with one producer, in the words of the cases. */
export class LogUnderTest {
  readonly context: BrokerContext;
  readonly log: BrokerLog;
  readonly #sequences = new Map<string, number>();

  constructor(context: BrokerContext, retention: Partial<Retention> = {}, channel = "room:1") {
    this.context = context;
    this.log = context.broker.log(channel, { ...RETENTION, ...retention });
  }

  entry(id: string, said: Said = {}): Append {
    const { event = "said", data = JsonText.of(id), sent = data, publisher = "ada" } = said;
    const { producer = "ada", generation = 1, settled = 0, repeat } = said;
    const now = this.context.monotonic();
    const place = this.#sequences.get(id) ?? this.#sequences.size + 1;
    this.#sequences.set(id, place);
    const its = { generation, sequence: said.sequence ?? place, settled };
    return {
      id,
      producer:
        producer === null
          ? null
          : { id: producer, ...its, fingerprint: fingerprint(id, event, sent) },
      publisher,
      event,
      data,
      notAfter: said.notAfter ?? now + 600_000,
      ...(repeat && { repeat: sinceOf(repeat, now) }),
    };
  }

  /** Appends one; what it came to, in a word: `new`, `duplicate`, or the refusal's code. */
  async outcome(id: string, said: Said = {}): Promise<string> {
    const [result] = await this.log.append([this.entry(id, said)]);
    return word(result);
  }

  /** Appends in one batch, and expects to. */
  async add(...ids: readonly string[]): Promise<readonly Position[]> {
    return (await this.log.append(ids.map((id) => this.entry(id)))).map(positionOf);
  }

  /** Appends the letters of a word in one batch. */
  addEach(letters: string): Promise<readonly Position[]> {
    return this.add(...letters.split(""));
  }

  /** Ids after a position, which must not be a gap. */
  async idsAfter(after: Position, limit = ALL): Promise<readonly string[]> {
    return publicationsOf(await this.log.read(after, limit)).map(({ id }) => id);
  }

  /** Ids before a position, or with null of the end, which must not be a gap. */
  async idsBefore(before: Position | null, limit = ALL): Promise<string> {
    const read = await this.log.readBack(before, limit);
    return publicationsOf(read)
      .map(({ id }) => id)
      .join("");
  }

  async idsFrom(start: Exclude<Start, Position>): Promise<readonly string[]> {
    return this.idsAfter(await this.log.locate(start));
  }

  /** Ids in the log, the oldest first. */
  ids(): Promise<readonly string[]> {
    return this.idsFrom("earliest");
  }

  /** The gap at a position, whose `continuesAfter` must be a place to read on from. */
  async gap(after: Position): Promise<{ reason: string; lost: number | null; rest: string }> {
    const read = await this.log.read(after, ALL);
    if (read.kind !== "gap") throw new Error(`no gap at ${JSON.stringify(after)}`);
    const { reason, lost, to, continuesAfter } = read.gap;
    equal(continuesAfter.epoch, (await this.log.locate("latest")).epoch, "the epoch after a gap");
    if (reason === "trimmed") equal(to, continuesAfter, "the last position inside the gap");
    return { reason, lost, rest: (await this.idsAfter(continuesAfter)).join(" ") };
  }

  /** Ids that the gap at a position brings with it. */
  async idsBehindGap(after: Position, limit = ALL): Promise<string> {
    const read = await this.log.read(after, limit);
    if (read.kind !== "gap") throw new Error(`no gap at ${JSON.stringify(after)}`);
    return read.publications.map(({ id }) => id).join("");
  }

  /** Follows the log, and writes down what is pushed. */
  async follow(): Promise<Followed> {
    const ids: string[] = [];
    const epochs = new Set<string>();
    const publications: Publication[] = [];
    let suspicions = 0;
    const tail = await this.log.tail({
      push: (epoch, pushed) => {
        epochs.add(epoch);
        publications.push(...pushed);
        for (const { id } of pushed) ids.push(id);
      },
      suspect: () => void (suspicions += 1),
    });
    const { position } = tail;
    const close = (): void => tail.close();
    return { position, ids, epochs, publications, suspicions: () => suspicions, close };
  }
}

function sinceOf({ ageMs, epoch }: Repeat, now: number): NonNullable<Append["repeat"]> {
  return { since: now - ageMs, ...(epoch !== undefined && { epoch }) };
}

/** The pushes that a tail has received so far. */
interface Followed {
  readonly position: Position;
  readonly ids: readonly string[];
  readonly epochs: ReadonlySet<string>;
  readonly publications: readonly Publication[];
  /** How often it was told that pushes may have been lost. */
  suspicions(): number;
  close(): void;
}

/** Waits until as many have been pushed, and expects exactly these. */
export async function expectPushes(
  { until }: BrokerContext,
  { ids }: Followed,
  expected: readonly string[],
): Promise<void> {
  await until(() => ids.length >= expected.length);
  equal(ids, expected, "what was pushed");
}
