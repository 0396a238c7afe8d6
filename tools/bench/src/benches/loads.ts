/** Benches of load from outside: fan-out at a rate, latency, and many channels. */
import type { Bench } from "../bench.ts";
import { CHANNEL } from "../payload.ts";
import { measureLoad } from "./load.ts";

const windowMs = (quick: boolean): number => (quick ? 1_000 : 2_000);

type Rate = { readonly connections: number; readonly rate: number };

const crossed = (connections: readonly number[], rates: readonly number[]): readonly Rate[] =>
  connections.flatMap((count) => rates.map((rate) => ({ connections: count, rate })));

const measureRate: Bench<Rate>["measure"] = (server, { connections, rate }, quick) =>
  measureLoad(server, {
    connections,
    channelsOf: () => [CHANNEL],
    channel: CHANNEL,
    rate,
    ms: windowMs(quick),
  });

/** Deliveries per second of processor time at a given rate, and their latency. */
export const rate: Bench<Rate> = {
  figure: "deliveriesPerCpuSecond",
  better: "more",
  servers: ["tailwire", "ws", "socket.io", "bun"],
  cases: (quick) =>
    quick ? crossed([1_000], [1_000]) : crossed([100, 500, 1_000], [200, 1_000, 5_000]),
  measure: measureRate,
};

/** Latency at the rate of a busy room, and far below it. */
export const latency: Bench<Rate> = {
  figure: "p50Ms",
  better: "less",
  servers: ["tailwire", "ws", "socket.io", "bun", "centrifugo"],
  cases: (quick) => crossed([1_000], quick ? [50] : [50, 1_000]),
  measure: measureRate,
};

type Channels = {
  readonly connections: number;
  readonly channels: number;
  readonly perConnection: number;
  readonly rate: number;
};

/** Many channels with few followers each, so that a server can share or batch little. */
export const channels: Bench<Channels> = {
  figure: "deliveriesPerCpuSecond",
  better: "more",
  servers: ["tailwire", "ws", "socket.io", "bun", "centrifugo"],
  cases: (quick) => {
    const alone = { connections: 1_000, channels: 1_000, perConnection: 1, rate: 5_000 };
    const few = { connections: 1_000, channels: 1_000, perConnection: 10, rate: 5_000 };
    const crossing = { connections: 1_000, channels: 500, perConnection: 50, rate: 5_000 };
    return quick ? [few] : [alone, few, crossing];
  },
  measure: (server, kind, quick) =>
    measureLoad(server, {
      connections: kind.connections,
      channelsOf: (index) =>
        index < 0
          ? []
          : Array.from(
              { length: kind.perConnection },
              (_one, at) => `room:${(index * kind.perConnection + at) % kind.channels}`,
            ),
      channel: `room:%c${kind.channels}`,
      rate: kind.rate,
      ms: windowMs(quick),
    }),
};
