// Disk brokers on a simulated clock, as the brokers' contract suite wants them, and as tests of disks do.
import type { Append, BrokerHost } from "@tailwire/server/broker-contract";
import { JsonText } from "@tailwire/protocol";
import { Dice, SimulatedClock } from "@tailwire/simulation";
import { DiskBroker, type DiskBrokerOptions } from "../../../src/brokers/disk/disk-broker.ts";
import type { Folder } from "../../../src/brokers/disk/files.ts";
import { DEDUPE, onClock, type OnClock } from "../memory-context.ts";

/** Small, so that a few publications fill a segment. */
const SIZES = { segmentBytes: 4_096, segmentMs: 30_000 };

export const RETENTION = { count: 1_000, bytes: 1_000_000, maxAgeMs: 3_600_000 };
export const ALL = { count: 1_000, bytes: 1_000_000 };

export interface DiskContext extends OnClock<DiskBroker> {
  /** Messages that the broker has logged, the newest last. */
  readonly logged: readonly string[];
}

let seed = 0;

/** A disk broker on a folder. Each has a monotonic clock of its own, as processes do. */
export function diskContext(
  folder: Folder,
  change: Partial<DiskBrokerOptions> & { readonly clock?: SimulatedClock } = {},
): DiskContext {
  const { clock = new SimulatedClock(), ...options } = change;
  const logged: string[] = [];
  const log = (_fields: object, message: string): void => void logged.push(message);
  const logger = { debug: log, info: log, warn: log, error: log };
  // A seed for each: two processes never draw the same tokens.
  const random = new Dice((seed += 1));
  const host: BrokerHost = { ...DEDUPE, clock, random, logger, appendMs: 10_000 };
  const given = { folder, ...SIZES, isOurs: () => false, closed: () => undefined, ...options };
  const broker = new DiskBroker(host, given);
  return { ...onClock(clock, broker), logged };
}

/** An append by ada, whose sequence is the number in its id; or by nobody. */
export function entry(id: string, change: Partial<Append> = {}): Append {
  const sequence = Number.parseInt(id.replace(/\D/g, ""), 10);
  return {
    id,
    producer: {
      id: "ada",
      generation: 1,
      sequence,
      settled: Math.max(0, sequence - 10),
      fingerprint: sequence,
    },
    publisher: "ada",
    event: "said",
    data: JsonText.of({ id, text: "x".repeat(100) }),
    notAfter: Infinity,
    ...change,
  };
}

/** All ids in a log, in order. */
export async function idsIn(
  { broker }: Pick<DiskContext, "broker">,
  channel: string,
  retention = RETENTION,
): Promise<string[]> {
  const log = broker.log(channel, retention);
  const read = await log.read(await log.locate("earliest"), ALL);
  return read.publications.map(({ id }) => id);
}
