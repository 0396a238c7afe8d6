// The judge of clients: tailwire's own keeps every clause, and what is broken is found.
import { startTiny } from "@tailwire-examples/tiny-client/program";
import { expect, test } from "vitest";
import { CLIENT_CHECKS, judgeClient } from "../src/clients/client-judge.ts";
import type { Starts } from "../src/clients/program.ts";
import { UNJUDGED } from "../src/clauses.ts";
import { run } from "../src/command.ts";
import type { Judgement } from "../src/judge.ts";
import { ownClient, type Tampering } from "./own-client.ts";

/** Clauses that a client may leave to its application, or needn't keep at all. */
const MAY = ["PUB-11"];

/** Clauses that bind both sides, of which a judge of clients sees one. */
const BOTH = `
  AUTH-2 AUTH-8 AUTH-9 READ-1 READ-2 READ-3 REQ-3 SUB-10 DEL-1 DEL-2 DEL-4 DEL-7
  PUB-1 PUB-5 PUB-7 PUB-12 PUB-14 LIVE-2 LIVE-4 VER-2 VER-6 CONN-2 CONN-4
`
  .trim()
  .split(/\s+/);

test("every clause that binds clients has a check", () => {
  const binding = Object.entries(UNJUDGED).filter(([, why]) => why.startsWith("binds clients"));
  const ids = [...binding.map(([id]) => id), ...BOTH].filter((id) => !MAY.includes(id));
  const checked = CLIENT_CHECKS.map(([id]) => id);
  expect(ids.filter((id) => !checked.includes(id))).toEqual([]);
});

test("tailwire's own client keeps every clause", async () => {
  const { clauses, failed } = await judgeClient(ownClient());
  expect(clauses.filter(({ ok }) => ok !== true)).toEqual([]);
  expect(failed).toBe(0);
}, 60_000);

/** Clauses that bind what the tiny client doesn't have: requests, pages and fresh tokens. */
const NOT_TINY = ["AUTH-2", "AUTH-8", "AUTH-9", "READ-1", "READ-2", "READ-3", "REQ-3", "REQ-4"];

test("the tiny client keeps what it claims: all but giving up what closes connections", async () => {
  const tiny: Starts = (url, tell) => startTiny(url, (news) => tell(news as never));
  const { clauses } = await judgeClient(tiny);
  expect(clauses.filter(({ ok }) => ok === false).map(({ id }) => id)).toEqual(["CLOSE-6"]);
  expect(clauses.filter(({ ok }) => ok === null).map(({ id }) => id)).toEqual(NOT_TINY);
}, 60_000);

/** A check that fails here mostly fails by silence. */
const IMPATIENT_MS = 1_500;

interface Broken extends Tampering {
  readonly does: string;
  readonly breaks: readonly string[];
}

const BROKEN: readonly Broken[] = [
  {
    does: "answers no ping",
    breaks: ["LIVE-4"],
    sends: (line) => (line.type === "pong" ? null : line),
  },
  {
    does: "begins anew wherever it should go on",
    breaks: ["DEL-1", "DEL-2", "DEL-4", "DEL-7"],
    sends: (line) => (line.type === "subscribe" ? { ...line, start: "earliest" } : line),
  },
  {
    does: "keeps gaps to itself",
    breaks: ["DEL-4"],
    hears: (line) => (line.type === "gap" ? null : line),
  },
  {
    does: "doesn't say that it repeats",
    breaks: ["PUB-5"],
    sends: (line) => ({ ...line, repeat: undefined }),
  },
  {
    does: "repeats under another id",
    breaks: ["PUB-5", "PUB-9"],
    sends: (line) => ("repeat" in line ? { ...line, id: `${String(line.id)}.again` } : line),
  },
  {
    does: "counts what it sends again anew",
    breaks: ["PUB-14"],
    sends: (line) => ("repeat" in line ? { ...line, sequence: 1 } : line),
  },
  {
    does: "settles what isn't answered",
    breaks: ["PUB-15"],
    sends: (line) =>
      line.type === "publish" ? { ...line, settled: Number(line.sequence) - 1 } : line,
  },
  {
    does: "heeds no window",
    breaks: ["PUB-15"],
    hears: (line) =>
      line.type === "welcome"
        ? { ...line, limits: { ...(line.limits as object), window: 9 } }
        : line,
  },
  {
    does: "has one generation for ever",
    breaks: ["PUB-7"],
    sends: (line) => (line.type === "hello" ? { ...line, generation: 1 } : line),
  },
  {
    does: "uses an id twice",
    breaks: ["MSG-2"],
    sends: (line) => (line.type === "subscribe" ? { ...line, id: "same" } : line),
  },
  {
    does: "writes timestamps as text",
    breaks: ["MSG-1"],
    sends: (line) => (line.type === "publish" ? { ...line, timestamp: "now" } : line),
  },
  {
    does: "comes back whatever it is told",
    breaks: ["CLOSE-1", "AUTH-5"],
    closes: () => 4_000,
  },
  {
    does: "takes a stranger's 1000 for its server's last word",
    breaks: ["CLOSE-1"],
    closes: (code) => (code === 1_000 ? 4_500 : code),
  },
  {
    does: "goes on when its subscription was ended",
    breaks: ["SUB-9"],
    hears: (line) => (line.type === "unsubscribed" ? null : line),
  },
];

for (const { does, breaks, ...tampering } of BROKEN) {
  test(`a client that ${does} fails ${breaks.join(" and ")}`, async () => {
    // MSG-1 is watched while others are judged.
    const only = breaks.includes("MSG-1") ? ["MSG-1", "PUB-5"] : breaks;
    const { clauses } = await judgeClient(ownClient(tampering), only, IMPATIENT_MS);
    const failed = clauses.filter(({ ok }) => ok === false).map(({ id }) => id);
    expect(failed).toEqual(expect.arrayContaining([...breaks]));
  }, 60_000);
}

test("the command starts a program, and tells what can't be judged of it", async () => {
  const program = `process.stdin.on("data", () => console.log('{"event":"cannot","do":"request"}'))`;
  const printed: string[] = [];
  const args = ["--client", "--json", "--only", "REQ-4", "--", process.execPath, "-e", program];
  const code = await run(args, (text) => printed.push(text));
  const { clauses } = JSON.parse(printed[0] ?? "") as Judgement;
  expect(clauses).toEqual([{ id: "REQ-4", ok: null, note: "the client can't request" }]);
  expect(code).toBe(0);
  expect(await run(["--client"], () => undefined)).toBe(2);
});
