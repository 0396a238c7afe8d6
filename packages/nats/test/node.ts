// A node as its broker sees it, on the platform's own time, and what such nodes append and read.
import { randomBytes } from "node:crypto";
import { JsonText, type Position } from "@tailwire/protocol";
import {
  type Append,
  type AppendResult,
  type Broker,
  type BrokerHost,
  type BrokerLog,
  fingerprint,
  type Publication,
} from "@tailwire/server/broker-contract";
import { natsBroker, type NatsBrokerOptions } from "../src/index.ts";

const nothing = (): void => undefined;
export const QUIET = { debug: nothing, info: nothing, warn: nothing, error: nothing };

export const HOST: BrokerHost = {
  dedupeMs: 120_000,
  window: 2_000,
  producersMax: 10_000,
  appendMs: 10_000,
  logger: QUIET,
  clock: {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms); // real time: a real server
      return () => clearTimeout(timer);
    },
    soon: (callback) => void setImmediate(callback),
  },
  random: {
    fraction: () => Math.random(),
    token: () => randomBytes(16).toString("base64url"),
  },
};

const RETENTION = { count: 100_000, bytes: 100_000_000, maxAgeMs: 3_600_000 };
const ALL = { count: 100_000, bytes: 100_000_000 };

/** Resolves when the condition holds; a test that waits for ever fails by its timeout. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    await new Promise((resolve) => HOST.clock.after(10, () => resolve(null)));
  }
}

/** A broker with one log, one producer, and the states that it has told: "up", or the reason why not. */
export class Node {
  readonly broker: Broker;
  readonly log: BrokerLog;
  readonly states: string[] = [];
  readonly #producer: string;
  #sequence = 0;

  constructor(producer: string, options: NatsBrokerOptions, host: Partial<BrokerHost> = {}) {
    this.broker = natsBroker(options)({ ...HOST, ...host });
    this.broker.onState((state) => {
      this.states.push(state.kind === "up" ? "up" : state.reason);
    });
    this.log = this.broker.log("room:1", RETENTION);
    this.#producer = producer;
  }

  /** New publications, one for each id. */
  entries(...ids: readonly string[]): readonly Append[] {
    return ids.map((id) => {
      this.#sequence += 1;
      const data = JsonText.of(id);
      const its = { generation: 1, sequence: this.#sequence, settled: 0 };
      const producer = { id: this.#producer, ...its, fingerprint: fingerprint(id, "said", data) };
      return { id, producer, publisher: null, event: "said", data, notAfter: Infinity };
    });
  }

  /** Appends new publications, and gives their positions. */
  async append(...ids: readonly string[]): Promise<readonly Position[]> {
    return (await this.log.append(this.entries(...ids))).map(positionOf);
  }

  /** Until NATS can be used. */
  async up(): Promise<void> {
    await until(() =>
      this.log.locate("latest").then(
        () => true,
        () => false,
      ),
    );
  }

  async publications(): Promise<readonly Publication[]> {
    const read = await this.log.read(await this.log.locate("earliest"), ALL);
    return read.publications;
  }

  async ids(): Promise<readonly string[]> {
    return (await this.publications()).map(({ id }) => id);
  }

  /** Ids after a position, or the reason of the gap there. */
  async after(position: Position): Promise<string> {
    const read = await this.log.read(position, ALL);
    const ids = read.publications.map(({ id }) => id).join(" ");
    return read.kind === "gap" ? `${read.gap.reason}: ${ids}` : ids;
  }

  close(): Promise<void> {
    return this.broker.close();
  }
}

/** The same publications, said to come again: they were first sent a second ago, or at `since`. */
export function again(
  appends: readonly Append[],
  repeat: Partial<NonNullable<Append["repeat"]>> = {},
): readonly Append[] {
  const since = HOST.clock.monotonic() - 1_000;
  return appends.map((append) => ({ ...append, repeat: { since, ...repeat } }));
}

export function positionOf(result: AppendResult): Position {
  if (result.kind === "appended") return result.position;
  throw new Error(`an append was refused with ${result.code}`);
}

/** `new`, `duplicate`, or the refusal's code. */
export function word(result: AppendResult | undefined): string {
  if (result?.kind === "refused") return result.code;
  return result?.duplicate === true ? "duplicate" : "new";
}
