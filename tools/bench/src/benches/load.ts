/**
 * Load at a given rate, from publishers in another process, while the server's processor time is
 * read. Publishers within the server would flatter one that blocks, since they would publish less.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerName } from "../dialects.ts";
import type { Sample } from "../statistics.ts";
import { onStage, settle } from "./stage.ts";

/** Publishers, who share the rate. */
const PUBLISHERS = 50;

/**
 * Milliseconds before the measurement: Node compiles meanwhile, on threads that share the server's core.
 */
const WARM_UP_MS = 3_000;

export interface Load {
  readonly connections: number;
  readonly channelsOf: (index: number) => readonly string[];
  /** The channel to publish to. The receiver replaces `%cN` by a number that rises, modulo N. */
  readonly channel: string;
  /** Publications a second. */
  readonly rate: number;
  readonly ms: number;
}

export function measureLoad(server: ServerName, load: Load): Promise<Sample> {
  return onStage(server, 0, async ({ subject, crowd }) => {
    const subscribers = crowd();
    const publishers = crowd();
    await subscribers.open(load.connections, load.channelsOf);
    await publishers.open(PUBLISHERS, () => []);
    await settle();
    const text = subject.dialect.publish(load.channel);
    const published = publishers.publish(text, load.rate, WARM_UP_MS + load.ms + 300);
    await sleep(WARM_UP_MS);
    await subscribers.reset();
    const [cpuBefore, waitedBefore] = [subject.process.cpuSeconds, subject.process.waitedSeconds];
    await sleep(load.ms);
    const cpuSeconds = subject.process.cpuSeconds - cpuBefore;
    const waitedSeconds = subject.process.waitedSeconds - waitedBefore;
    const counted = await subscribers.report();
    const { refused } = await published;
    if (refused > 0) throw new Error(`publishers were held up ${refused} times`);
    if (counted.gone > 0) throw new Error(`${counted.gone} connections were lost`);
    return {
      deliveriesPerSecond: counted.deliveries / counted.seconds,
      bytesPerDelivery: counted.bytes / counted.deliveries,
      deliveriesPerCpuSecond: counted.deliveries / cpuSeconds,
      cpuShare: cpuSeconds / counted.seconds,
      waitedShare: waitedSeconds / counted.seconds,
      p50Ms: counted.p50Ms,
      p99Ms: counted.p99Ms,
    };
  });
}
