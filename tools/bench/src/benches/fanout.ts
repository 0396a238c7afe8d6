/** Fan-out: a thousand followers of one channel, and several publications per turn of the event loop. */
import type { Bench } from "../bench.ts";
import { CHANNEL } from "../payload.ts";
import { onStage, settle } from "./stage.ts";

const WARM_UP_MS = 1_500;

type Turns = { readonly connections: number; readonly perTurn: number };

export const fanout: Bench<Turns> = {
  figure: "deliveriesPerCpuSecond",
  better: "more",
  servers: ["tailwire", "ws", "socket.io", "bun"],
  cases: (quick) =>
    (quick ? [1, 100] : [1, 10, 100]).map((perTurn) => ({ connections: 1_000, perTurn })),
  measure: (server, { connections, perTurn }, quick) =>
    onStage(server, 0, async ({ subject, crowd }) => {
      const subscribers = crowd();
      await subscribers.open(connections, () => [CHANNEL]);
      await settle();
      const text = subject.dialect.turn(perTurn);
      if (text === null) throw new Error("it has no turns");
      await subscribers.turns(text, connections * perTurn, quick ? 500 : WARM_UP_MS);
      const cpuBefore = subject.process.cpuSeconds;
      const counted = await subscribers.turns(text, connections * perTurn, quick ? 1_000 : 2_500);
      const cpuSeconds = subject.process.cpuSeconds - cpuBefore;
      return {
        deliveriesPerSecond: counted.deliveries / counted.seconds,
        bytesPerDelivery: counted.bytes / counted.deliveries,
        deliveriesPerCpuSecond: counted.deliveries / cpuSeconds,
      };
    }),
};
