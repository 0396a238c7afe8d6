// The judge of clients finds what is wrong with each of these, and says so.
import { expect, test } from "vitest";
import { judgeClient } from "../src/clients/client-judge.ts";
import { ownClient } from "./own-client.ts";
import { WRONG_CLIENTS } from "./wrong-clients.ts";

/** A check that fails by silence fails soon. */
const IMPATIENT_MS = 2_000;

// At the same time: most of theirs is waiting.
for (const { does, breaks, finds, faults } of WRONG_CLIENTS) {
  test.concurrent(`[${breaks}] a client that ${does} is found`, async () => {
    const { clauses } = await judgeClient(ownClient(faults), [breaks], IMPATIENT_MS);
    expect(clauses).toMatchObject([{ id: breaks, ok: false }]);
    expect(clauses[0]?.note).toContain(finds);
  }, 60_000);
}
