/** The client alone: its cost per publication, by the number of publications per WebSocket message. */
import { fileURLToPath } from "node:url";
import type { Bench } from "../bench.ts";
import { Process } from "../processes.ts";

type Kind = { readonly client: "node" | "chromium"; readonly perMessage: number };

const path = (file: string): string => fileURLToPath(new URL(`../${file}`, import.meta.url));

export const client: Bench<Kind> = {
  figure: "publicationsPerCpuSecond",
  better: "more",
  servers: ["tailwire", "ws"],
  cases: () =>
    (["node", "chromium"] as const).flatMap((name) =>
      [1, 10, 40].map((perMessage) => ({ client: name, perMessage })),
    ),
  measure: async (kind, { client: name, perMessage }, quick) => {
    const enough = quick ? 50_000 : 200_000;
    const node = process.execPath;
    const server = new Process("server", node, [path("servers/canned.js"), "0", `${perMessage}`]);
    try {
      const { port } = await server.hear<{ port: number }>();
      const url = `ws://127.0.0.1:${port}/`;
      const program = path(`clients/${name}.js`);
      const taker = new Process("load", node, [program, kind, url, `${enough}`]);
      try {
        const { seconds, cpuSeconds } = await taker.hear<{ seconds: number; cpuSeconds: number }>();
        return {
          publicationsPerSecond: enough / seconds,
          publicationsPerCpuSecond: enough / cpuSeconds,
          cpuUsPerPublication: (cpuSeconds * 1e6) / enough,
        };
      } finally {
        await taker.end();
      }
    } finally {
      await server.end();
    }
  },
};
