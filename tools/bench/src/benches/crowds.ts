/** Benches of crowds: memory of idle connections, and seconds to connect and to catch up. */
import type { Bench } from "../bench.ts";
import { CHANNEL } from "../payload.ts";
import type { Sample } from "../statistics.ts";
import { onStage, settle } from "./stage.ts";

type Crowd = { readonly connections: number };

const crowdOf = (quick: boolean): number => (quick ? 1_000 : 5_000);

/** Memory of a connection that does nothing. */
export const memory: Bench<Crowd> = {
  figure: "kibPerConnection",
  better: "less",
  servers: ["tailwire", "ws", "socket.io", "bun", "centrifugo"],
  cases: (quick) => [{ connections: crowdOf(quick) }],
  measure: (server, { connections }) =>
    onStage(server, 0, async ({ subject, crowd }) => {
      const before = await subject.memory();
      await crowd().open(connections, () => []);
      await settle();
      const after = await subject.memory();
      const kib = (after.residentBytes - before.residentBytes) / connections / 1_024;
      const heap =
        before.heapBytes === null || after.heapBytes === null
          ? {}
          : { heapKibPerConnection: (after.heapBytes - before.heapBytes) / connections / 1_024 };
      return { kibPerConnection: kib, ...heap };
    }),
};

type Subscriptions = { readonly connections: number; readonly perConnection: number };

/** Memory of subscriptions and of channels on the heap. Only tailwire has both. */
export const subscriptions: Bench<Subscriptions> = {
  figure: "bytesPerSubscription",
  better: "less",
  servers: ["tailwire"],
  cases: (quick) => [{ connections: quick ? 100 : 500, perConnection: 150 }],
  measure: async (server, { connections, perConnection }) => {
    const total = connections * perConnection;
    const heapOf = (nameOf: (connection: number, at: number) => string): Promise<number> =>
      onStage(server, 0, async ({ subject, crowd }) => {
        const before = (await subject.memory()).heapBytes ?? 0;
        await crowd().open(connections, (index) =>
          Array.from({ length: perConnection }, (_one, at) => nameOf(index, at)),
        );
        await settle();
        const after = (await subject.memory()).heapBytes ?? 0;
        return (after - before) / total;
      });
    const shared = await heapOf((_connection, at) => `room:${at}`);
    const apart = await heapOf((connection, at) => `room:${connection}-${at}`);
    const bare = await heapOfConnection(connections);
    return figuresOf(shared - bare / perConnection, apart - bare / perConnection);
  },
};

/** Bytes on the heap of a connection without subscriptions. */
function heapOfConnection(connections: number): Promise<number> {
  return onStage("tailwire", 0, async ({ subject, crowd }) => {
    const before = (await subject.memory()).heapBytes ?? 0;
    await crowd().open(connections, () => []);
    await settle();
    return (((await subject.memory()).heapBytes ?? 0) - before) / connections;
  });
}

/** `apart` is the cost of a channel with one subscription, `shared` of a subscription alone. */
function figuresOf(shared: number, apart: number): Sample {
  return { bytesPerSubscription: shared, bytesPerChannel: apart - shared };
}

/** Connecting a whole crowd at once. */
export const storm: Bench<Crowd> = {
  figure: "seconds",
  better: "less",
  servers: ["tailwire", "ws", "socket.io", "bun", "centrifugo"],
  cases: (quick) => [{ connections: crowdOf(quick) }],
  measure: (server, { connections }) =>
    onStage(server, 0, async ({ subject, crowd }) => {
      const cpuBefore = subject.process.cpuSeconds;
      const seconds = await crowd().open(connections, () => []);
      return { seconds, cpuSeconds: subject.process.cpuSeconds - cpuBefore };
    }),
};

type Resume = { readonly connections: number; readonly missed: number };

/** A crowd that has reconnected, and asks for the publications that it has missed. */
export const resume: Bench<Resume> = {
  figure: "seconds",
  better: "less",
  servers: ["tailwire", "ws", "bun"],
  cases: (quick) => [{ connections: crowdOf(quick), missed: 100 }],
  measure: (server, { connections, missed }) =>
    onStage(server, missed, async ({ subject, crowd }) => {
      const followers = crowd();
      await followers.open(connections, () => []);
      await settle();
      const text = subject.dialect.resume(subject.epoch, CHANNEL);
      if (text === null) throw new Error("it keeps nothing");
      const cpuBefore = subject.process.cpuSeconds;
      const counted = await followers.ask(text, connections, connections * missed);
      if (counted.deliveries !== connections * missed) {
        throw new Error(`${counted.deliveries} of ${connections * missed} have come`);
      }
      return {
        seconds: counted.seconds,
        cpuSeconds: subject.process.cpuSeconds - cpuBefore,
        bytesPerDelivery: counted.bytes / counted.deliveries,
      };
    }),
};
