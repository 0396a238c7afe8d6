// Brokers that keep, forget or name their logs wrongly, each in one way.
import {
  type Append,
  type Broker,
  type Publication,
  publicationBytes,
  type Retention,
} from "@tailwire/server/broker-contract";
import { MemoryBroker } from "@tailwire/server/core";
import { Dice } from "@tailwire/simulation";
import {
  type BrokenBroker,
  broker,
  eachPublications,
  log,
  made,
  named,
  retained,
} from "./breaking.ts";

export const BROKEN_KEEPERS: readonly BrokenBroker[] = [
  broker(
    "it keeps one too many",
    "retention by count",
    retained((r) => ({ ...r, count: r.count + 1 })),
  ),
  broker(
    "it keeps a byte too many",
    "retention by bytes",
    retained((r) => ({ ...r, bytes: r.bytes + 1 })),
  ),
  log("it drops what alone is too large", "however large", (sound, { bytes }) =>
    eachPublications((all) => all.filter((one) => publicationBytes(one) <= bytes))(sound),
  ),
  broker(
    "it keeps what is old",
    "retention by age",
    retained((r) => ({ ...r, maxAgeMs: 1e9 })),
  ),
  broker(
    "it drops what is young",
    "retention by age",
    retained((r) => ({ ...r, maxAgeMs: r.maxAgeMs - 1 })),
  ),
  broker("it stamps by a clock that may go back", "timestamps", ({ broker: sound, clock }) => {
    const stamps = new Map<string, number>();
    return {
      log: (channel, retention) => {
        const one = sound.log(channel, retention);
        const append = async (batch: readonly Append[]) => {
          for (const { id } of batch) stamps.set(id, clock.now());
          return one.append(batch);
        };
        const stamp = (publication: Publication) => ({
          ...publication,
          timestamp: stamps.get(publication.id) ?? 0,
        });
        return { ...one, ...eachPublications((all) => all.map(stamp))(one), append };
      },
    };
  }),
  broker("it forgets logs that are followed", "followed is never forgotten", (context) => {
    let sound: Broker = context.broker;
    const forget = (): void => {
      sound = made({})(context);
    };
    context.clock.after(context.dedupeMs * 2, forget);
    const now = (channel: string, retention: Retention) => sound.log(channel, retention);
    return {
      log: (channel, retention) => ({
        append: (batch) => now(channel, retention).append(batch),
        read: (after, limit) => now(channel, retention).read(after, limit),
        readBack: (before, limit) => now(channel, retention).readBack(before, limit),
        locate: (start) => now(channel, retention).locate(start),
        tail: (listener) => now(channel, retention).tail(listener),
      }),
    };
  }),
  broker("it comes back under its old epoch from offset 1", "comes back", (context) => {
    let sound: Broker = context.broker;
    context.clock.after(context.dedupeMs * 2, () => {
      // The same dice give the same epoch.
      const { clock, dedupeMs, window, producersMax } = context;
      sound = new MemoryBroker({ clock, random: new Dice(1), dedupeMs, window, producersMax });
    });
    return {
      log: (channel, retention) => ({
        ...context.broker.log(channel, retention),
        append: (batch) => sound.log(channel, retention).append(batch),
        read: (after, limit) => sound.log(channel, retention).read(after, limit),
        readBack: (before, limit) => sound.log(channel, retention).readBack(before, limit),
        locate: (start) => sound.log(channel, retention).locate(start),
      }),
    };
  }),
  broker(
    "it has one log",
    "channels don't mix",
    named(() => "one"),
  ),
  broker(
    "it has names of 199 characters",
    "just names",
    named((name) => name.slice(0, 199)),
  ),
  broker(
    "it has names of one case",
    "just names",
    named((name) => name.toLowerCase()),
  ),
];
