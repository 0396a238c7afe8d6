/** A log at a broker, as lines use it and mischief spoils it: the simulated one's or the shipped one's. */
import type { Position, Start } from "@tailwire/protocol";
import type {
  Append,
  AppendResult,
  PageLimit,
  Publication,
  ReadResult,
  Retention,
} from "@tailwire/server/broker-contract";

export type Listener = (epoch: string, publications: readonly Publication[]) => void;

type Soon<Value> = Value | Promise<Value>;

export interface StoredLog {
  /** They are told what is appended. */
  readonly listeners: Set<Listener>;
  readonly position: Soon<Position>;
  append(batch: readonly Append[]): Soon<readonly AppendResult[]>;
  read(after: Position, limit: PageLimit): Soon<ReadResult>;
  readBack(before: Position | null, limit: PageLimit): Soon<ReadResult>;
  locate(start: Exclude<Start, Position>): Soon<Position>;
  /** Loses so many of its last publications, where it is one that may. */
  lose(count: number): void;
  /** Trims so many more than its retention asks for, where it is one that may. */
  shed(count: number): void;
}

export interface StoringBroker {
  /** Subscriptions of all nodes. */
  readonly listeners: number;
  readonly logs: readonly StoredLog[];
  log(channel: string, retention: Retention): StoredLog;
  /** Loses everything. */
  wipe(): void;
  /** Nobody comes any more. */
  close(): void;
}
