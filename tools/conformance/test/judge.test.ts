// The judge passes the real server, judges every clause there is, and says so as its command does.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CLAUSES, UNJUDGED } from "../src/clauses.ts";
import { run } from "../src/command.ts";
import { CHECKS, type Judgement, judge } from "../src/judge.ts";
import { serve } from "./support.ts";

const document = readFileSync(new URL("../../../PROTOCOL.md", import.meta.url), "utf8");

/** Ids of the document's clauses that aren't planned, in its order. */
function documented(): string[] {
  return document.split("\n").flatMap((line) => {
    const id = /^[-*] +\*\*\[([A-Z]+-\d+)\]\*\*/.exec(line)?.[1];
    return id === undefined || line.includes("*(planned)*") ? [] : [id];
  });
}

test("the judge's list is the list of PROTOCOL.md's clauses that aren't planned", () => {
  expect(CLAUSES.toSorted()).toEqual(documented().toSorted());
});

test("every clause has either a check or a reason why it has none", () => {
  const covered = [...Object.keys(CHECKS), ...Object.keys(UNJUDGED)];
  expect(covered.toSorted()).toEqual(CLAUSES.toSorted());
});

test("the real server passes every clause that can be judged, heartbeats included", async () => {
  const { subject } = await serve();
  const { clauses, passed, failed } = await judge(subject);
  expect(clauses.filter(({ ok }) => ok === false)).toEqual([]);
  expect(failed).toBe(0);
  expect(passed).toBe(Object.keys(CHECKS).length);
  expect(clauses.filter(({ ok }) => ok === null).map(({ id }) => id)).toEqual(
    CLAUSES.filter((id) => id in UNJUDGED),
  );
}, 90_000);

test("the command prints a row per clause, then the counts, and exits with 0", async () => {
  const { url } = await serve();
  const printed: string[] = [];
  const code = await run([url, "--only", "SUB-6,DEL-7"], (text) => printed.push(text));
  expect(code).toBe(0);
  expect(printed.join("\n").split("\n")).toEqual([
    "clause   verdict         note",
    "SUB-6    ok",
    "DEL-7    can't be judged needs a log that goes on under a new epoch",
    "",
    "1 passed, 0 failed",
  ]);
});

test("with --json the command prints one line, and exits with 1 where a clause fails", async () => {
  const { url } = await serve();
  const printed: string[] = [];
  const args = [url, "--json", "--only", "SUB-6,ERR-1", "--channel", "none:{id}"];
  const code = await run(args, (text) => printed.push(text));
  const [line = ""] = printed;
  const { passed, failed, clauses } = JSON.parse(line) as Judgement;
  expect({ code, passed, failed, lines: printed.length }).toEqual({
    code: 1,
    passed: 0,
    failed: 1,
    lines: 1,
  });
  expect(clauses.map(({ id, ok }) => [id, ok])).toEqual([
    ["SUB-6", false],
    ["ERR-1", null],
  ]);
});

test("a server that isn't there fails, and doesn't stop the judge", async () => {
  const subject = { url: "ws://127.0.0.1:1/", token: "t", channel: "room:{id}", slow: false };
  const { passed, failed } = await judge(subject);
  expect({ passed, failed }).toEqual({ passed: 0, failed: Object.keys(CHECKS).length });
});

test("a command that makes no sense exits with 2 and says what is missing", async () => {
  const printed: string[] = [];
  const codes = [
    await run([], (text) => printed.push(text)),
    await run(["ws://127.0.0.1:1/", "--only", "SUB-99"], (text) => printed.push(text)),
    await run(["ws://127.0.0.1:1/", "--no-such"], (text) => printed.push(text)),
    await run(["ws://127.0.0.1:1/", "--channel", "lobby"], (text) => printed.push(text)),
  ];
  expect(codes).toEqual([2, 2, 2, 2]);
  for (const text of printed) expect(text).toContain("npm run conformance -- <url>");
});
