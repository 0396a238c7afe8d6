// The disk broker keeps the brokers' contract, on real files, and again after each call it has been opened anew.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Broker } from "@tailwire/server/broker-contract";
import { BROKER_CASES, type BrokerContext } from "@tailwire/server/broker-contract-suite";
import { nodeFolder } from "../../../src/brokers/disk/node-files.ts";
import { diskContext } from "./disk-context.ts";
import { FakeFolder } from "./fake-folder.ts";

function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "tailwire-disk-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

describe("the contract, on files", () => {
  test.each(BROKER_CASES)("$name", async ({ run }) => {
    const context = diskContext(nodeFolder(temporaryFolder()));
    await expect(run(context)).resolves.toBeUndefined();
    await context.broker.close();
  });
});

describe("the contract, with faults of nothing but time", () => {
  test.each(BROKER_CASES)("$name", async ({ run }) => {
    await expect(run(diskContext(new FakeFolder()))).resolves.toBeUndefined();
  });
});

/** A broker that is killed and opened anew after each append. Its tails are opened anew as well. */
function reopening(): BrokerContext {
  let folder = new FakeFolder();
  const first = diskContext(folder);
  let { broker } = first;
  const tails = new Set<() => Promise<void>>();
  const reopen = async (): Promise<void> => {
    folder = folder.unplugged();
    ({ broker } = diskContext(folder, { clock: first.clock }));
    for (const follow of tails) await follow();
  };
  const reopened: Broker = {
    capabilities: { durable: true },
    onState: () => undefined,
    close: () => broker.close(),
    log: (channel, retention) => ({
      append: async (batch) => {
        const results = await broker.log(channel, retention).append(batch);
        await reopen();
        return results;
      },
      read: (after, limit) => broker.log(channel, retention).read(after, limit),
      readBack: (before, limit) => broker.log(channel, retention).readBack(before, limit),
      locate: (start) => broker.log(channel, retention).locate(start),
      tail: async (listener) => {
        const follow = async (): Promise<void> => {
          tail = await broker.log(channel, retention).tail(listener);
        };
        let tail = await broker.log(channel, retention).tail(listener);
        tails.add(follow);
        return {
          position: tail.position,
          close: () => {
            tails.delete(follow);
            tail.close();
          },
        };
      },
    }),
  };
  return { ...first, broker: reopened, other: reopened };
}

/** Calls at the same time would lose the broker under each other. */
const AT_ONCE = /at the same time/;
/** Producers that are found count from the start on, which is longer than these allow for. */
const FORGETTING = /remembers as many producers|may be forgotten/;

describe("the contract, with a power loss after each append", () => {
  test.each(BROKER_CASES.filter(({ name }) => !AT_ONCE.test(name) && !FORGETTING.test(name)))(
    "$name",
    async ({ run }) => {
      await expect(run(reopening())).resolves.toBeUndefined();
    },
  );
});
