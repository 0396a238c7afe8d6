// A disk broker among clients that publish where they may not, and a machine that runs short of files.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createTailwire, diskBroker } from "@tailwire/server";
import { entry, diskContext, idsIn, RETENTION } from "./disk-context.ts";
import { FakeFolder } from "./fake-folder.ts";

const TOO_MANY = Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });

test("[PUB-5] publications that are refused make no log, and write nothing", async () => {
  const folder = new FakeFolder();
  const { broker, clock } = diskContext(folder);
  const since = clock.monotonic();
  for (let n = 1; n <= 20; n += 1) {
    const log = broker.log(`room:${n}`, RETENTION);
    const batch = [entry("p1", { notAfter: -1, repeat: { since } })];
    expect(await log.append(batch)).toEqual([{ kind: "refused", code: "expired" }]);
  }
  expect([broker.size, folder.bytes]).toEqual([0, 0]);
  await broker.close();
});

test.each(["EMFILE", "ENFILE"])("after %s the next publications are taken", async (code) => {
  const folder = new FakeFolder();
  const { broker, clock } = diskContext(folder);
  const states: unknown[] = [];
  broker.onState((state) => states.push(state));
  const log = broker.log("room:1", RETENTION);
  const create = folder.create.bind(folder);
  folder.create = () => Promise.reject(Object.assign(new Error(TOO_MANY.message), { code }));
  await expect(log.append([entry("p1")])).rejects.toMatchObject({ code: "unavailable" });
  folder.create = create;
  expect(await log.append([entry("p1")])).toMatchObject([{ position: { offset: 1 } }]);
  // One that is written goes on, however many files are open elsewhere.
  folder.create = () => Promise.reject(TOO_MANY);
  for (let n = 2; n <= 60; n += 1) await log.append([entry(`p${n}`)]);
  await clock.advance(120_000);
  expect(await idsIn({ broker }, "room:1")).toHaveLength(60);
  expect(states).toEqual([]);
  await broker.close();
});

test("a server that isn't made leaves no directory in use", async () => {
  const directory = mkdtempSync(join(tmpdir(), "tailwire-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const options = { anonymous: true, channels: { lobby: {} }, broker: diskBroker({ directory }) };
  const mistakes = [
    { channels: { "room:{": {} } },
    { allowedOrigins: ["chat.example/x"] },
    { codecs: [{}] },
  ];
  for (const mistake of mistakes) {
    expect(() => createTailwire({ ...options, ...mistake } as never)).toThrow();
  }
  expect(readdirSync(directory)).toEqual([]);
  const server = createTailwire(options as never);
  await server.close();
});
