// A bench's runner and its tables, with a bench that measures nothing.
import { expect, test } from "vitest";
import { type Bench, noiseOf, runBench } from "../src/bench.ts";
import type { ServerName } from "../src/dialects.ts";
import { resultOf } from "../src/result.ts";
import { rowsAsTable } from "../src/tables.ts";

const asked: ServerName[] = [];

/** A bench in which `ws` is half as fast as tailwire, and Bun fails. */
const bench: Bench = {
  figure: "perSecond",
  better: "more",
  servers: ["tailwire", "ws", "bun"],
  cases: () => [{ connections: 10 }],
  measure: (server) => {
    asked.push(server);
    if (server === "bun") throw new Error("no");
    const round = asked.filter((name) => name === server).length;
    return Promise.resolve({ perSecond: (server === "ws" ? 1_000 : 2_000) * round });
  },
};

test("servers take turns, backwards in every second round, and one that fails is left out", async () => {
  const said: string[] = [];
  const servers: readonly ServerName[] = ["tailwire", "ws", "socket.io", "bun"];
  const options = { servers, rounds: 3, quick: false, say: (line: string) => said.push(line) };
  const rows = await runBench(bench, options);
  expect(asked).toEqual(["tailwire", "ws", "bun", "ws", "tailwire", "tailwire", "ws"]);
  expect(said.filter((line) => line.includes("left out"))).toEqual([
    "bun is left out of connections 10: Error: no",
  ]);
  expect(rows).toEqual([
    {
      server: "tailwire",
      figures: { connections: 10, perSecond: 4_000 },
      ratioTo: { ws: { median: 2, least: 2, most: 2 } },
    },
    {
      server: "ws",
      figures: { connections: 10, perSecond: 2_000 },
      ratioTo: { tailwire: { median: 0.5, least: 0.5, most: 0.5 } },
    },
  ]);
});

test("a table has a line per row, and says how tailwire compares with each in the same case", () => {
  const ratio = { median: 2, least: 1.5, most: 2.5 };
  const rows = [
    { server: "tailwire", figures: { rate: 50, p50Ms: 1.234 }, ratioTo: { ws: ratio } },
    { server: "ws", figures: { rate: 50, p50Ms: 2_468 }, ratioTo: {} },
  ] as const;
  const about = { bench: "x", rounds: 3, receiver: "none", pinned: true };
  expect(rowsAsTable(resultOf(about, rows))).toEqual([
    "| publications/s | server | p50, ms | tailwire against it |",
    "| --- | --- | --- | --- |",
    "| 50 | tailwire | 1.2 |  |",
    "| 50 | ws | 2,470 | 2× (1.5–2.5) |",
  ]);
  expect(resultOf(about, rows).rows[0]).toMatchObject({
    ratioTo: { ws: 2 },
    ratioRange: { ws: [1.5, 2.5] },
  });
});

test("noise is how far rounds lie from their median; where nothing is compared there is none", () => {
  const ratio = { median: 2, least: 1.5, most: 2.5 };
  expect(noiseOf([{ server: "tailwire", figures: {}, ratioTo: { ws: ratio } }])).toBe(0.25);
  expect(noiseOf([])).toBeNull();
});
