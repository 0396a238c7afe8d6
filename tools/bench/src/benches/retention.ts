/**
 * Benches of what logs keep: what channels cost that keep little, and what a server comes to that keeps
 * a little of much for minutes.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import type { Receiver, Reported } from "../receiver.ts";
import { crossing, PUBLISHERS, WARM_UP_MS } from "./load.ts";
import { onStage, settle } from "./stage.ts";

type Kept = {
  readonly connections: number;
  readonly channels: number;
  readonly perConnection: number;
  readonly rate: number;
  readonly retained: number;
};

/** How long what was published may take to arrive in the end, in milliseconds. */
const ARRIVE_MS = 60_000;

/** How often it is looked whether it has, in milliseconds. */
const ASK_EVERY_MS = 20;

/** Channels that keep one, five or five hundred: the same is delivered, or told as lost to a unit. */
export const retention: Bench<Kept> = {
  figure: "deliveriesPerCpuSecond",
  better: "more",
  servers: ["tailwire"],
  cases: (quick) => {
    const crowd = quick
      ? { connections: 200, channels: 100, perConnection: 50, rate: 1_000 }
      : { connections: 1_000, channels: 500, perConnection: 50, rate: 5_000 };
    return [1, 5, 500].map((retained) => ({ ...crowd, retained }));
  },
  measure: (server, kind, quick) =>
    onStage(server, 0, async ({ subject, crowd }) => {
      const name = `kept-${kind.retained}`;
      const ms = quick ? 1_000 : 5_000;
      const subscribers = crowd();
      const publishers = crowd();
      subscribers.countGaps();
      await subscribers.open(kind.connections, crossing(name, kind));
      await publishers.open(PUBLISHERS, () => []);
      await settle();
      const text = subject.dialect.publish(`${name}:%c${kind.channels}`);
      const published = publishers.publish(text, kind.rate, WARM_UP_MS + ms);
      await sleep(WARM_UP_MS);
      const [before, cpuBefore] = [await subscribers.report(), subject.process.cpuSeconds];
      const { sent, refused } = await published;
      if (refused > 0) throw new Error(`publishers were held up ${refused} times`);
      const expected = (sent * kind.connections * kind.perConnection) / kind.channels;
      const after = await accounted(subscribers, expected);
      const cpuSeconds = subject.process.cpuSeconds - cpuBefore;
      const seconds = after.seconds - before.seconds;
      const deliveries = after.deliveries - before.deliveries;
      return {
        deliveriesPerSecond: deliveries / seconds,
        lostPerSecond: (after.lost - before.lost) / seconds,
        deliveriesPerCpuSecond: deliveries / cpuSeconds,
        cpuShare: cpuSeconds / seconds,
      };
    }),
};

/**
 * The counts when all is delivered or told as lost. @throws Error when that isn't what was
 * published.
 */
async function accounted(subscribers: Receiver, expected: number): Promise<Reported> {
  const until = Date.now() + ARRIVE_MS;
  for (;;) {
    const counted = await subscribers.report();
    const { deliveries, lost, gone } = counted;
    if (gone > 0) throw new Error(`${gone} connections were lost`);
    if (deliveries + lost === expected) return counted;
    if (Date.now() > until || deliveries + lost > expected) {
      throw new Error(`${deliveries} delivered and ${lost} lost aren't the ${expected} published`);
    }
    await sleep(ASK_EVERY_MS);
  }
}

type Soak = {
  readonly connections: number;
  readonly channels: number;
  readonly perConnection: number;
  readonly rate: number;
  readonly retained: number;
  readonly lastsSeconds: number;
};

/** Seconds of publishing that are asked for at once. */
const PART_SECONDS = 20;

/** Rooms that are busy for minutes: what the server grows by, and its longest pause. */
export const roomsSoak: Bench<Soak> = {
  figure: "residentGrowthMiB",
  better: "less",
  servers: ["tailwire", "ws"],
  cases: (quick) => [
    {
      connections: 1_000,
      channels: 1_000,
      perConnection: 1,
      rate: quick ? 2_000 : 5_000,
      retained: 20,
      lastsSeconds: quick ? 20 : 180,
    },
  ],
  measure: (server, kind) =>
    onStage(server, 0, async ({ subject, crowd }) => {
      const name = `kept-${kind.retained}`;
      const subscribers = crowd();
      const publishers = crowd();
      await subscribers.open(kind.connections, crossing(name, kind));
      await publishers.open(PUBLISHERS, () => []);
      await settle();
      const text = subject.dialect.publish(`${name}:%c${kind.channels}`);
      await publishers.publish(text, kind.rate, WARM_UP_MS);
      const before = await subject.memory();
      const cpuBefore = subject.process.cpuSeconds;
      await subject.pauses();
      await subscribers.reset();
      for (let left = kind.lastsSeconds; left > 0; left -= PART_SECONDS) {
        const ms = Math.min(left, PART_SECONDS) * 1_000;
        const { refused } = await publishers.publish(text, kind.rate, ms);
        if (refused > 0) throw new Error(`publishers were held up ${refused} times`);
      }
      const { p99Ms } = await subscribers.report();
      // Before anything is collected that wouldn't be otherwise.
      const pauses = await subject.pauses();
      const cpuSeconds = subject.process.cpuSeconds - cpuBefore;
      const after = await subject.memory();
      return {
        residentGrowthMiB: (after.residentBytes - before.residentBytes) / 1_048_576,
        heapGrowthMiB: ((after.heapBytes ?? 0) - (before.heapBytes ?? 0)) / 1_048_576,
        ...pauses,
        p99Ms,
        cpuShare: cpuSeconds / kind.lastsSeconds,
      };
    }),
};
