// Faults of disks: torn writes, damage, no room, errors; and what the next process finds.
import { describe, expect, test } from "vitest";
import { TailwireError } from "@tailwire/protocol";
import { ALL, diskContext, entry, idsIn, RETENTION } from "./disk-context.ts";
import { FakeFolder } from "./fake-folder.ts";

const codeOf = async (given: unknown): Promise<unknown> =>
  Promise.resolve(given).then(
    () => "no error",
    (error: unknown) => (error instanceof TailwireError ? error.code : error),
  );

/** A folder with publications 1 to 4, each written by itself, and where the last one's record begins. */
async function four(): Promise<{ folder: FakeFolder; name: string; lastAt: number }> {
  const folder = new FakeFolder();
  const { broker } = diskContext(folder);
  const log = broker.log("room:1", RETENTION);
  for (const id of ["m1", "m2", "m3"]) await log.append([entry(id)]);
  const name = folder.names()[0] as string;
  const lastAt = folder.file(name).bytes.length;
  await log.append([entry("m4")]);
  return { folder, name, lastAt };
}

describe("what a crash leaves", () => {
  test("a write that is torn at any byte is cut off, and what was acknowledged is there", async () => {
    const { folder, name, lastAt } = await four();
    const { length } = folder.file(name).bytes;
    for (let cut = lastAt; cut < length; cut += 1) {
      const torn = folder.killed();
      const bytes = torn.file(name).bytes.subarray(0, cut);
      torn.files.set(name, { bytes, synced: Buffer.from(bytes) });
      const context = diskContext(torn);
      expect(await idsIn(context, "room:1")).toEqual(["m1", "m2", "m3"]);
      await context.broker.log("room:1", RETENTION).append([entry("m5")]);
      expect(await idsIn(diskContext(torn.unplugged()), "room:1")).toEqual([
        "m1",
        "m2",
        "m3",
        "m5",
      ]);
    }
    expect(length - lastAt).toBeGreaterThan(100);
  });

  test("a last write of which any byte isn't what it was is a torn one", async () => {
    const { folder, name, lastAt } = await four();
    for (let at = lastAt; at < folder.file(name).bytes.length; at += 1) {
      const torn = folder.killed();
      torn.file(name).bytes[at] = (torn.file(name).bytes[at] as number) ^ 0x10;
      expect(await idsIn(diskContext(torn), "room:1")).toEqual(["m1", "m2", "m3"]);
    }
  });

  test("a byte of an earlier write that isn't what it was is damage, and the file is named", async () => {
    const { folder, name, lastAt } = await four();
    for (let at = 0; at < lastAt; at += 7) {
      const spoiled = folder.killed();
      spoiled.file(name).bytes[at] = (spoiled.file(name).bytes[at] as number) ^ 0x10;
      expect(() => diskContext(spoiled)).toThrow(
        expect.objectContaining({
          code: "directory_damaged",
          message: expect.stringContaining(`/fake/${name} is damaged at byte`) as unknown,
        }),
      );
      // Nothing was mended, so that it can be looked into.
      expect(spoiled.file(name).bytes.length).toBe(folder.file(name).bytes.length);
    }
  });

  test("a group whose first record is torn is no damage, though its second is whole", async () => {
    const folder = new FakeFolder();
    const { broker } = diskContext(folder);
    const log = broker.log("room:1", RETENTION);
    await log.append([entry("m1")]);
    const name = folder.names()[0] as string;
    const groupAt = folder.file(name).bytes.length;
    await log.append([entry("m2"), entry("m3")]);
    folder.file(name).bytes[groupAt + 30] = 0;
    expect(await idsIn(diskContext(folder.killed()), "room:1")).toEqual(["m1"]);
  });

  test("records of a form that isn't known are refused by name", async () => {
    const { folder } = await four();
    const name = folder.names()[0] as string;
    // The layout is a part of the first record, whose checksum has no salt.
    const { seal, makeRecord, FORMS } = await import("../../../src/brokers/disk/records.ts");
    const first = makeRecord(FORMS.begin, { layout: 9, salt: 1, logs: 0, remembersMs: 0 });
    seal(first, 0, 0);
    folder.file(name).bytes = first;
    expect(() => diskContext(folder.killed())).toThrow(/directory_unknown.*layout 9/);
    const begin = makeRecord(FORMS.begin, { layout: 1, salt: 7, logs: 0, remembersMs: 0 });
    seal(begin, 0, 0);
    const strange = makeRecord(99, {});
    seal(strange, begin.length, 7);
    folder.file(name).bytes = Buffer.concat([begin, strange]);
    expect(() => diskContext(folder.killed())).toThrow(/directory_unknown.*form 99/);
  });

  test("a directory with somebody else's files is refused, and stays as it is", () => {
    const folder = new FakeFolder();
    folder.files.set("thesis.txt", { bytes: Buffer.from("a"), synced: Buffer.from("a") });
    expect(() => diskContext(folder)).toThrow(/directory_foreign.*thesis\.txt/);
    expect(folder.names()).toEqual(["thesis.txt"]);
  });

  test("a segment that wasn't begun is taken away", async () => {
    const { folder } = await four();
    folder.files.set("00000002.new", { bytes: Buffer.from("half"), synced: Buffer.alloc(0) });
    expect(await idsIn(diskContext(folder), "room:1")).toEqual(["m1", "m2", "m3", "m4"]);
    expect(folder.names()).toEqual(["00000001.segment"]);
  });
});

describe("a disk without room", () => {
  test("is unavailable until there is room, and leaves nothing torn behind", async () => {
    const { folder } = await four();
    const context = diskContext(folder);
    const log = context.broker.log("room:1", RETENTION);
    await log.append([entry("m5")]);
    const used = folder.bytes;
    for (const spare of [0, 10, 150]) {
      folder.room = used + spare;
      expect(await codeOf(log.append([entry("m6"), entry("m7")]))).toBe("unavailable");
      expect(folder.bytes).toBe(used);
    }
    expect(await idsIn(context, "room:1")).toEqual(["m1", "m2", "m3", "m4", "m5"]);
    folder.room = Infinity;
    const again = { repeat: { since: context.monotonic() } };
    const results = await log.append([entry("m6", again), entry("m5", again)]);
    expect(results).toMatchObject([
      { kind: "appended", position: { offset: 6 }, duplicate: false },
      { kind: "appended", position: { offset: 5 }, duplicate: true },
    ]);
    expect(context.logged).toEqual([
      "the disk has no room: nothing is appended",
      "the disk has room again",
    ]);
    const all = ["m1", "m2", "m3", "m4", "m5", "m6"];
    expect(await idsIn(diskContext(folder.unplugged()), "room:1")).toEqual(all);
  });

  test("is unavailable to a new log, too, which isn't half made", async () => {
    const folder = new FakeFolder();
    folder.room = 60;
    const context = diskContext(folder);
    const log = context.broker.log("room:1", RETENTION);
    expect(await codeOf(log.append([entry("m1")]))).toBe("unavailable");
    expect(context.broker.size).toBe(0);
    expect(folder.names()).toEqual([]);
    folder.room = Infinity;
    expect(await log.append([entry("m1")])).toMatchObject([{ position: { offset: 1 } }]);
  });
});

describe("a disk that fails", () => {
  test.each(["write", "sync"] as const)(
    "in a %s isn't written any more: it is indeterminate once, then unavailable",
    async (kind) => {
      const { folder } = await four();
      const context = diskContext(folder);
      const log = context.broker.log("room:1", RETENTION);
      await log.append([entry("m5")]);
      const pushed: string[] = [];
      const push = (_epoch: string, all: readonly { readonly id: string }[]): void =>
        void pushed.push(...all.map(({ id }) => id));
      await log.tail({ push, suspect: () => undefined });
      const states: unknown[] = [];
      context.broker.onState((state) => void states.push(state));
      folder.failing = kind;
      expect(await codeOf(log.append([entry("m6")]))).toBe("indeterminate");
      folder.failing = null;
      const { syncs } = folder;
      expect(await codeOf(log.append([entry("m7")]))).toBe("unavailable");
      expect(folder.syncs).toBe(syncs);
      const reason = expect.stringContaining("EIO: it was simulated") as unknown;
      expect(states).toEqual([{ kind: "down", reason }]);
      // Nobody is shown what nobody knows.
      expect(pushed).toEqual([]);
      expect(await idsIn(context, "room:1")).toEqual(["m1", "m2", "m3", "m4", "m5"]);
      await context.broker.close();
      const next = diskContext(folder.unplugged());
      expect((await idsIn(next, "room:1")).slice(0, 5)).toEqual(["m1", "m2", "m3", "m4", "m5"]);
    },
  );

  test("in a read is unavailable, and is read when it can be", async () => {
    const { folder } = await four();
    const context = diskContext(folder);
    folder.failing = "read";
    expect(await codeOf(idsIn(context, "room:1"))).toBe("unavailable");
    folder.failing = null;
    expect(await idsIn(context, "room:1")).toEqual(["m1", "m2", "m3", "m4"]);
  });
});

describe("a broker that is closed", () => {
  test("finishes what it was given, and refuses the rest as unavailable", async () => {
    const folder = new FakeFolder();
    const context = diskContext(folder);
    const log = context.broker.log("room:1", RETENTION);
    await log.append([entry("m1")]);
    const given = [log.append([entry("m2")]), log.append([entry("m3")])];
    await context.clock.settle();
    const late = log.append([entry("m4")]);
    const closing = context.broker.close();
    const results = await Promise.allSettled([...given, late, log.append([entry("m5")]), closing]);
    expect(results.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    expect(await codeOf(log.locate("latest"))).toBe("unavailable");
    expect(await idsIn(diskContext(folder.unplugged()), "room:1")).toEqual(["m1", "m2", "m3"]);
    expect(context.clock.pending).toBe(0);
  });
});

describe("groups", () => {
  test("a listener that throws harms nobody's append but its own", async () => {
    const folder = new FakeFolder();
    const context = diskContext(folder);
    const bad = context.broker.log("bad", RETENTION);
    const good = context.broker.log("good", RETENTION);
    const push = (): void => {
      throw new Error("not today");
    };
    await bad.tail({ push, suspect: () => undefined });
    await good.locate("latest");
    const results = await Promise.allSettled(
      [bad, good].map(async (log) => log.append([entry("m1")])),
    );
    expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    expect(await good.append([entry("m2")])).toMatchObject([{ position: { offset: 2 } }]);
  });

  test("what comes during a sync is written together, and nobody is told before its own", async () => {
    const folder = new FakeFolder();
    const context = diskContext(folder);
    const logs = ["a", "b", "c"].map((name) => context.broker.log(name, RETENTION));
    for (const log of logs) await log.append([entry("m1")]);
    let open = (): void => undefined;
    folder.gate = new Promise((resolve) => (open = resolve));
    const { syncs } = folder;
    let answered = 0;
    const answers = [...logs, ...logs].map(async (log, index) => {
      await log.append([entry(`m${2 + Math.floor(index / 3)}`)]);
      answered += 1;
    });
    await context.clock.settle();
    expect(answered).toBe(0);
    folder.gate = null;
    open();
    await Promise.all(answers);
    // One for each log's first, and one for each log's second.
    expect(folder.syncs - syncs).toBe(2);
    expect(await idsIn(context, "b")).toEqual(["m1", "m2", "m3"]);
  });
});

describe("memory of producers", () => {
  test("a repeat after a restart is a duplicate, also when its segment is long gone", async () => {
    const folder = new FakeFolder();
    const context = diskContext(folder);
    const log = context.broker.log("room:1", { ...RETENTION, count: 1 });
    await log.append([entry("m1")]);
    const filling = { producer: null };
    for (let count = 0; count < 100; count += 1) await log.append([entry("f", filling)]);
    await context.clock.settle();
    expect(folder.names()).not.toContain("00000001.segment");
    const next = diskContext(folder.unplugged());
    const repeat = { repeat: { since: next.monotonic() } };
    expect(await next.broker.log("room:1", RETENTION).append([entry("m1", repeat)])).toMatchObject([
      { position: { offset: 1, id: "m1" }, duplicate: true },
    ]);
  });

  test("a repeat of what never arrived is appended when the directory remembers so far back", async () => {
    const folder = new FakeFolder();
    const first = diskContext(folder);
    await first.clock.advance(10_000);
    await first.broker.log("room:1", RETENTION).append([entry("m1")]);
    await first.broker.close();
    const next = diskContext(folder.unplugged());
    const outcome = async (id: string, ageMs: number): Promise<unknown> => {
      const repeat = { since: next.monotonic() - ageMs };
      const [result] = await next.broker.log("room:1", RETENTION).append([entry(id, { repeat })]);
      return result?.kind === "refused" ? result.code : "new";
    };
    expect(await outcome("m2", 9_000)).toBe("new");
    expect(await outcome("m3", 11_000)).toBe("indeterminate");
  });
});

describe("segments", () => {
  test("go when nobody retains anything in them, and no place is lost on the way", async () => {
    const folder = new FakeFolder();
    const context = diskContext(folder);
    const few = { ...RETENTION, count: 20 };
    const log = context.broker.log("room:1", few);
    const quiet = context.broker.log("quiet", RETENTION);
    await quiet.append([entry("m1")]);
    for (let count = 1; count <= 300; count += 1) {
      await log.append([entry(`m${count}`)]);
      const { publications } = await quiet.read(await quiet.locate("earliest"), ALL);
      expect(publications.map(({ id }) => id)).toEqual(["m1"]);
    }
    await context.clock.settle();
    // Twenty are about two segments; the quiet one's was copied forward again and again.
    expect(folder.names().length).toBeLessThanOrEqual(4);
    expect(folder.names()).not.toContain("00000001.segment");
    const expected = Array.from({ length: 20 }, (_, index) => `m${281 + index}`);
    for (const found of [context, diskContext(folder.unplugged())]) {
      expect(await idsIn(found, "room:1", few)).toEqual(expected);
      expect(await idsIn(found, "quiet")).toEqual(["m1"]);
    }
  });

  test("go when what is in them has expired, though nobody appends any more", async () => {
    const folder = new FakeFolder();
    const context = diskContext(folder);
    const log = context.broker.log("room:1", { ...RETENTION, maxAgeMs: 10_000 });
    for (let count = 1; count <= 100; count += 1) await log.append([entry(`m${count}`)]);
    await context.clock.advance(200_000);
    expect(folder.bytes).toBeLessThan(1_000);
    const next = diskContext(folder.unplugged());
    const [result] = await next.broker.log("room:1", RETENTION).append([entry("m101")]);
    expect(result).toMatchObject({ position: { offset: 101 } });
  });

  test("a page is read while its segment goes", async () => {
    const folder = new FakeFolder();
    const context = diskContext(folder);
    const log = context.broker.log("room:1", { ...RETENTION, count: 30 });
    for (let count = 1; count <= 30; count += 1) await log.append([entry(`m${count}`)]);
    const start = await log.locate("earliest");
    const [read] = await Promise.all([
      log.read(start, ALL),
      log.append(Array.from({ length: 30 }, (_, index) => entry(`m${31 + index}`))),
    ]);
    expect(read.publications.map(({ id }) => id)).toEqual(
      Array.from({ length: 30 }, (_, index) => `m${1 + index}`),
    );
  });

  test("a log that was forgotten is gone, and its name begins a new one", async () => {
    const folder = new FakeFolder();
    const context = diskContext(folder);
    const log = context.broker.log("room:1", { ...RETENTION, maxAgeMs: 1_000 });
    await log.append([entry("m1")]);
    const before = await log.locate("latest");
    await context.clock.advance(1_000_000);
    expect(context.broker.size).toBe(0);
    const after = await log.locate("latest");
    expect(after.epoch).not.toBe(before.epoch);
    const next = diskContext(folder.unplugged());
    expect(await next.broker.log("room:1", RETENTION).locate("latest")).toEqual(after);
  });
});
