// Several nodes on one NATS server, and a server and links that break: nothing acknowledged is lost or doubled.
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { JsonText } from "@tailwire/protocol";
import type { Append } from "@tailwire/server/broker-contract";
import { again, HOST, Node, positionOf, until, word } from "./node.ts";
import { isMissing, NatsServer } from "./nats-server.ts";
import { Proxy } from "./proxy.ts";

describe.skipIf(isMissing)("nodes, faults and restarts", () => {
  let server: NatsServer;
  const endings: (() => unknown)[] = [];

  const node = (name: string, url = server.url): Node => {
    const made = new Node(name, { servers: url });
    endings.push(() => made.close());
    return made;
  };
  const restart = async (): Promise<void> => {
    await server.kill();
    server = await NatsServer.start({ port: server.port, folder: server.folder });
  };

  beforeEach(async () => {
    server = await NatsServer.start();
  });
  afterEach(async () => {
    for (const end of endings.splice(0)) await end();
    await server.remove();
  });

  test("[PUB-4, PUB-8] nodes that append at once have each publication in the log once, in order", async () => {
    const nodes = ["a", "b", "c"].map((name) => node(name));
    const acknowledged = new Map<number, string>();
    const publish = async (its: Node, name: string): Promise<void> => {
      for (let round = 0; round < 60; round += 1) {
        const ids = [0, 1, 2].map((index) => `${name} ${round * 3 + index}`);
        for (const { offset, id } of await its.append(...ids)) {
          expect(acknowledged.has(offset)).toBe(false);
          acknowledged.set(offset, id ?? "");
        }
      }
    };
    await Promise.all(nodes.map((its, index) => publish(its, "abc".charAt(index))));
    for (const its of nodes) {
      const publications = await its.publications();
      expect(publications.map(({ offset }) => offset)).toEqual(
        Array.from({ length: 540 }, (_, index) => index + 1),
      );
      for (const { offset, id } of publications) expect(acknowledged.get(offset)).toBe(id);
      for (const name of "abc") {
        const own = publications.filter(({ id }) => id.startsWith(name)).map(({ id }) => id);
        expect(own).toEqual(Array.from({ length: 180 }, (_, index) => `${name} ${index}`));
      }
    }
  });

  test("[PUB-4] a repeat at another node is a duplicate, whether that has appended before or not", async () => {
    const [first, second, third] = [node("a"), node("b"), node("c")];
    await third.append("before");
    const entries = first.entries("one", "two");
    const results = await first.log.append(entries);
    const expected = results.map((result) => ({ ...result, duplicate: true }));
    expect(await second.log.append(again(entries))).toEqual(expected);
    expect(await third.log.append(again(entries))).toEqual(expected);
    expect(await second.ids()).toEqual(["before", "one", "two"]);
  });

  test("a server that is killed and comes back has all that was acknowledged, and no gap", async () => {
    const its = node("a");
    const entries = its.entries("one", "two", "three");
    await its.log.append(entries);
    const [, two] = await its.log.append(again(entries));
    await restart();
    await its.up();
    expect(await its.ids()).toEqual(["one", "two", "three"]);
    expect(two?.kind === "appended" && (await its.after(two.position))).toBe("three");
    const fresh = node("b");
    expect((await fresh.log.append(again(entries))).map(word)).toEqual(Array(3).fill("duplicate"));
    const [four] = await its.append("four");
    expect(four?.offset).toBe(4);
    expect(two?.kind === "appended" && (await fresh.after(two.position))).toBe("three four");
    // The store may have lost its end, which no reader can know: the epoch is another.
    expect(two?.kind === "appended" && two.position.epoch).not.toBe(four?.epoch);
  });

  test("[DEL-4, PUB-5] a wiped store is another epoch, and a repeat of what it had can't be known", async () => {
    const its = node("a");
    const entries = its.entries("one");
    const [position] = await its.append("two");
    await its.log.append(entries);
    await server.kill();
    rmSync(join(server.folder, "jetstream"), { recursive: true });
    server = await NatsServer.start({ port: server.port, folder: server.folder });
    await its.up();
    expect(position && (await its.after(position))).toBe("epoch: ");
    const [result] = await its.log.append(again(entries, { epoch: position?.epoch ?? "" }));
    expect(word(result)).toBe("indeterminate");
    expect(
      word((await node("b").log.append(again(entries, { epoch: position?.epoch ?? "" })))[0]),
    ).toBe("indeterminate");
    const [three] = await its.append("three");
    expect(three?.offset).toBe(1);
  });

  test("[DEL-4, PUB-5] an old backup of the store is another epoch from where it ends", async () => {
    const its = node("a");
    const kept = its.entries("one", "two");
    const [, two] = (await its.log.append(kept)).map(positionOf);
    await server.kill();
    const backup = `${server.folder}-backup`;
    endings.push(() => rmSync(backup, { recursive: true }));
    cpSync(server.folder, backup, { recursive: true });
    server = await NatsServer.start({ port: server.port, folder: server.folder });
    await its.up();
    const lost = its.entries("three", "four");
    const since = HOST.clock.monotonic();
    const [, four] = (await its.log.append(lost)).map(positionOf);
    await server.kill();
    rmSync(server.folder, { recursive: true });
    cpSync(backup, server.folder, { recursive: true });
    server = await NatsServer.start({ port: server.port, folder: server.folder });
    await its.up();
    const other = node("b");
    expect(two && (await other.after(two))).toBe("");
    expect(four && (await other.after(four))).toBe("epoch: one two");
    const results = await other.log.append([...again(kept), ...again(lost, { since })]);
    expect(results.map(word)).toEqual(["duplicate", "duplicate", "new", "new"]);
    expect(await its.ids()).toEqual(["one", "two", "three", "four"]);
    expect(two && (await its.after(two))).toBe("three four");
  });

  test.each(["answers", "requests"] as const)(
    "[PUB-4] an append whose %s are lost is in the log once, and acknowledged",
    async (lost) => {
      const proxy = await Proxy.to(server.port);
      endings.push(() => proxy.close());
      const its = node("a", proxy.url);
      const other = node("b");
      await its.append("before");
      proxy.swallows = lost;
      const appending = its.append("one", "two");
      if (lost === "answers") await until(async () => (await other.ids()).length === 3);
      proxy.swallows = null;
      proxy.cut();
      expect((await appending).map(({ offset }) => offset)).toEqual([2, 3]);
      expect(await other.ids()).toEqual(["before", "one", "two"]);
    },
  );

  test("[PUB-4] an append whose answer is lost, and that others follow, keeps its place", async () => {
    const proxy = await Proxy.to(server.port);
    endings.push(() => proxy.close());
    const its = node("a", proxy.url);
    const other = node("b");
    await its.append("before");
    proxy.swallows = "answers";
    const appending = its.append("one", "two");
    await until(async () => (await other.ids()).length === 3);
    await other.append("three");
    proxy.swallows = null;
    proxy.cut();
    expect((await appending).map(({ offset }) => offset)).toEqual([2, 3]);
    await other.append("four");
    expect(await its.ids()).toEqual(["before", "one", "two", "three", "four"]);
  });

  test("an append that can't be resolved in time is indeterminate, and one that isn't sent unavailable", async () => {
    const proxy = await Proxy.to(server.port);
    endings.push(() => proxy.close());
    const its = new Node("a", { servers: proxy.url }, { appendMs: 300 });
    endings.push(() => its.close());
    await its.append("before");
    proxy.swallows = "answers";
    await expect(its.append("one")).rejects.toMatchObject({ code: "indeterminate" });
    proxy.close();
    await until(() => its.states.includes(`NATS at ${proxy.url} has gone away`));
    await expect(its.append("two")).rejects.toMatchObject({ code: "unavailable" });
  });

  test("pushes that are lost while a link is down are pushed when it is up", async () => {
    const proxy = await Proxy.to(server.port);
    endings.push(() => proxy.close());
    const its = node("a", proxy.url);
    const other = node("b");
    const pushed: string[] = [];
    const push = (_epoch: string, some: readonly { readonly id: string }[]): void => {
      pushed.push(...some.map(({ id }) => id));
    };
    await its.log.tail({ push, suspect: () => undefined });
    await other.append("one");
    await until(() => pushed.length === 1);
    proxy.swallows = "answers";
    await other.append("two");
    proxy.swallows = null;
    proxy.cut();
    await until(() => pushed.length === 2);
    await other.append("three");
    await until(() => pushed.length === 3);
    expect(pushed).toEqual(["one", "two", "three"]);
    expect(its.states).toEqual(["up", `NATS at ${proxy.url} has gone away`, "up"]);
  });

  test("[PUB-12] a batch that is larger than a message of NATS is appended in parts, in order", async () => {
    const its = node("a");
    await its.up();
    const text = "x".repeat(200_000);
    const ids = Array.from({ length: 20 }, (_, index) => `${index}`);
    const entries = its.entries(...ids).map((entry) => ({ ...entry, data: JsonText.of(text) }));
    expect((await its.log.append(entries)).map(word)).toEqual(ids.map(() => "new"));
    expect(await its.ids()).toEqual(ids);
    const [one, two, three] = its.entries("one", "two", "three");
    const late = one && { ...one, data: JsonText.of("x".repeat(600_000)), notAfter: -1 };
    const held = two && { ...two, data: JsonText.of("x".repeat(600_000)) };
    const results = await its.log.append([late, held, three].filter((each) => each !== undefined));
    expect(results.map(word)).toEqual(["expired", "held", "held"]);
    expect(await its.ids()).toEqual(ids);
  });

  test("a publication that is larger than a message of NATS is too_large, and harms no other", async () => {
    const its = node("a");
    await its.up();
    const [large] = its.entries("large").map((entry) => ({
      ...entry,
      data: JsonText.of("x".repeat(1_100_000)),
    }));
    await expect(its.log.append(large ? [large] : [])).rejects.toMatchObject({ code: "too_large" });
    await its.append("small");
    expect(await its.ids()).toEqual(["small"]);
  });

  test("appends go on while the server is killed again and again, each in the log once", async () => {
    const nodes = ["a", "b"].map((name) => node(name));
    const acknowledged: string[] = [];
    const progress = { ends: false };
    const publish = async (its: Node, name: string): Promise<void> => {
      for (let index = 0; !progress.ends; index += 1) {
        const [entry] = its.entries(`${name} ${index}`);
        if (entry !== undefined) acknowledged.push(await persist(its, entry));
      }
    };
    const publishing = nodes.map((its, index) => publish(its, "ab".charAt(index)));
    for (let round = 0; round < 3; round += 1) {
      const target = acknowledged.length + 40;
      await until(() => acknowledged.length >= target);
      await restart();
    }
    progress.ends = true;
    await Promise.all(publishing);
    const ids = await nodes[0]?.ids();
    expect(ids?.toSorted()).toEqual(acknowledged.toSorted());
    const own = (name: string) => ids?.filter((id) => id.startsWith(name));
    for (const name of "ab") {
      expect(own(name)).toEqual(acknowledged.filter((id) => id.startsWith(name)));
    }
  });
});

/** Appends one, again and again until it is in the log; gives its id. */
async function persist(its: Node, entry: Append): Promise<string> {
  let repeated: Append = entry;
  for (;;) {
    try {
      const [result] = await its.log.append([repeated]);
      if (result?.kind === "appended") return entry.id;
      throw new Error(`refused: ${word(result)}`);
    } catch (error) {
      if (!(error instanceof Error) || !("retry" in error)) throw error;
      const [next] = again([entry]);
      repeated = next ?? entry;
      await new Promise((resolve) => HOST.clock.after(20, () => resolve(null)));
    }
  }
}
