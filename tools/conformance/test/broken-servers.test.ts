// The judge finds what is broken: each server here is the real one, broken in one way.
import { expect, test } from "vitest";
import { judge } from "../src/judge.ts";
import { BROKEN_SERVERS } from "./faults.ts";
import { proxy } from "./proxy.ts";
import { serve, subjectAt } from "./support.ts";

test("a proxy without a fault passes every clause, so what fails below is the fault", async () => {
  const { url } = await serve();
  const { failed, clauses } = await judge(subjectAt(await proxy(url, () => ({}))));
  expect(clauses.filter(({ ok }) => ok === false)).toEqual([]);
  expect(failed).toBe(0);
}, 90_000);

for (const { does, breaks, fault } of BROKEN_SERVERS) {
  test(`a server that ${does} fails ${breaks.join(" and ")}`, async () => {
    const { url } = await serve();
    // Impatient: what fails here mostly fails by silence.
    const subject = { ...subjectAt(await proxy(url, fault)), patienceMs: 2_000 };
    const judgement = await judge(subject, breaks);
    const failed = judgement.clauses.filter(({ ok }) => ok === false);
    expect(failed.map(({ id }) => id).toSorted()).toEqual(breaks.toSorted());
    for (const { note } of failed) expect(note).not.toBe("");
  });
}
