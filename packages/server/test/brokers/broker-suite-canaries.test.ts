// The brokers' contract suite can fail: each broker that is broken on purpose is caught by name.
import { expect, test } from "vitest";
import { BROKER_CASES } from "@tailwire/server/broker-contract-suite";
import type { BrokenBroker } from "./breaking.ts";
import { BROKEN_BROKERS } from "./broken-brokers.ts";

/** Names of the cases that a broken broker fails. */
async function failed({ context }: BrokenBroker): Promise<readonly string[]> {
  const names: string[] = [];
  for (const { name, run } of BROKER_CASES) {
    try {
      await run(context());
    } catch {
      names.push(name);
    }
  }
  return names;
}

for (const broken of BROKEN_BROKERS) {
  test(`a broker is caught: ${broken.flaw}`, async () => {
    expect(await failed(broken)).toContainEqual(expect.stringContaining(broken.caughtBy));
  });
}

test("every case catches a broken broker", async () => {
  const caught = new Set<string>();
  for (const broken of BROKEN_BROKERS) for (const name of await failed(broken)) caught.add(name);
  expect(BROKER_CASES.map(({ name }) => name).filter((name) => !caught.has(name))).toEqual([]);
});

test("names of cases are unique", () => {
  const names = BROKER_CASES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
