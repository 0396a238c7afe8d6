// Ways to break a memory broker on purpose, for `broken-brokers.ts`.
import type {
  Append,
  AppendResult,
  Broker,
  BrokerLog,
  LogGap,
  Producer,
  Publication,
  ReadResult,
  Retention,
  TailListener,
} from "@tailwire/server/broker-contract";
import type { BrokerContext } from "@tailwire/server/broker-contract-suite";
import { MemoryBroker } from "@tailwire/server/core";
import { Dice } from "@tailwire/simulation";
import type { Position } from "@tailwire/protocol";
import { type MemoryContext, memoryContext } from "./memory-context.ts";

type Methods = Partial<BrokerLog>;

export interface BrokenBroker {
  /** The fault in it. */
  readonly flaw: string;
  /** A part of the name of a case that notices. */
  readonly caughtBy: string;
  /** A fresh one of them. */
  readonly context: () => BrokerContext;
}

/** A broker whose logs have some methods replaced. */
export function log(
  flaw: string,
  caughtBy: string,
  methods: (log: BrokerLog, retention: Retention) => Methods,
): BrokenBroker {
  return broker(flaw, caughtBy, (context) => ({
    log: (channel, retention) => {
      const sound = context.broker.log(channel, retention);
      return { ...sound, ...methods(sound, retention) };
    },
  }));
}

export function broker(
  flaw: string,
  caughtBy: string,
  change: (context: MemoryContext) => Pick<Broker, "log">,
): BrokenBroker {
  return {
    flaw,
    caughtBy,
    context: () => {
      const context = memoryContext();
      const { capabilities } = context.broker;
      const broken = {
        capabilities,
        onState: () => undefined,
        close: () => context.broker.close(),
        ...change(context),
      };
      return { ...context, broker: broken, other: broken };
    },
  };
}

export const eachAppend = (change: (append: Append) => Append) => (sound: BrokerLog) => ({
  append: (batch: readonly Append[]) => sound.append(batch.map(change)),
});

/** The same, where it has a producer, from another or by other numbers. */
export function from(append: Append, change: Partial<Producer>): Append {
  const { producer } = append;
  return producer === null ? append : { ...append, producer: { ...producer, ...change } };
}

export const eachResult =
  (change: (result: AppendResult) => AppendResult) => (sound: BrokerLog) => ({
    append: async (batch: readonly Append[]) => (await sound.append(batch)).map(change),
  });

const eachRead =
  (change: (read: ReadResult, after: Position) => ReadResult) =>
  (sound: BrokerLog): Methods => ({
    read: async (after, limit) => change(await sound.read(after, limit), after),
  });

export const eachPublications = (change: (all: readonly Publication[]) => readonly Publication[]) =>
  eachRead((read) =>
    read.kind === "gap" ? read : { ...read, publications: change(read.publications) },
  );

export const eachGap = (change: (gap: LogGap) => LogGap) =>
  eachRead((read) => (read.kind === "gap" ? { ...read, gap: change(read.gap) } : read));

export const eachPush =
  (push: (listener: TailListener, ...pushed: Parameters<TailListener["push"]>) => void) =>
  (sound: BrokerLog): Methods => ({
    tail: (listener) =>
      sound.tail({
        push: (epoch, publications) => push(listener, epoch, publications),
        suspect: () => listener.suspect(),
      }),
  });

export const retained =
  (change: (retention: Retention) => Retention) => (context: MemoryContext) => ({
    log: (channel: string, retention: Retention) => context.broker.log(channel, change(retention)),
  });

export const named = (change: (channel: string) => string) => (context: MemoryContext) => ({
  log: (channel: string, retention: Retention) => context.broker.log(change(channel), retention),
});

/** A memory broker with other options than the context says. */
export const made =
  (change: Partial<Pick<MemoryContext, "dedupeMs" | "window" | "producersMax">>) =>
  ({ clock, dedupeMs, window, producersMax }: MemoryContext) =>
    new MemoryBroker({ clock, random: new Dice(2), dedupeMs, window, producersMax, ...change });
