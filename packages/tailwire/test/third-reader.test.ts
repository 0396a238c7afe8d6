/** The third reader: over a slow line it falls behind, alone, and loses nothing. */
import { type Client, createClient } from "@tailwire/client";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Standalone } from "../src/standalone.ts";
import type { ReaderSample } from "../src/third-reader.ts";
import { startForTest } from "./support.ts";

const patience = { timeout: 15_000, interval: 20 };
const CHANNEL = "demo:load-test";
/** More than a slow line lets through while a test runs, and far less than is retained. */
const COUNT = 2_000;

function clientFor(standalone: Standalone, user: string): Client {
  const client = createClient(standalone.websocket, { getToken: () => user });
  onTestFinished(() => client.close());
  return client;
}

/** The newest sample that a page hears of its reader. */
function follow(page: Client, user: string): () => ReaderSample | null {
  let newest: ReaderSample | null = null;
  page
    .channel(`demo:reader-of-${user}`)
    .subscribe({ start: { rewind: { count: 1 } } })
    .on("sample", ({ data }) => {
      newest = data as ReaderSample;
    });
  return () => newest;
}

async function publish(client: Client, count: number): Promise<void> {
  const channel = client.channel(CHANNEL);
  await Promise.all(Array.from({ length: count }, (_, n) => channel.publish("tick", n)));
}

/** Waits until the server has so many connections: each page's own, and its reader's. */
async function expectConnections(page: Client, count: number): Promise<void> {
  let newest = 0;
  const feed = page.channel("demo:machine").subscribe({ start: { rewind: { count: 1 } } });
  feed.on("sample", ({ data }) => {
    newest = (data as { readonly connections: number }).connections;
  });
  await vi.waitUntil(() => newest === count, patience);
  await feed.close();
}

describe("the third reader", () => {
  test("falls behind when it is slow, while another reads all; then it catches up", async () => {
    const standalone = await startForTest();
    const page = clientFor(standalone, "page-1");
    const grace = clientFor(standalone, "grace");
    const newest = follow(page, "page-1");
    let received = 0;
    const subscription = grace.channel(CHANNEL).subscribe();
    subscription.on("tick", () => {
      received += 1;
    });
    await subscription.ready;
    await page.request("third-reader", { channel: CHANNEL, slow: true });
    await publish(clientFor(standalone, "ada"), COUNT);
    await vi.waitUntil(() => received === COUNT, patience);
    expect(newest()?.slow).toBe(true);
    expect(newest()?.offset).toBeLessThan(COUNT);
    await page.request("third-reader", { channel: CHANNEL, slow: false });
    await vi.waitUntil(() => newest()?.offset === COUNT, patience);
    expect(newest()).toEqual({
      slow: false,
      offset: COUNT,
      missed: 0,
      duplicated: 0,
      toldMissing: 0,
    });
  });

  test("is one for each page, however often it is asked for", async () => {
    const standalone = await startForTest();
    const page = clientFor(standalone, "page-1");
    const ask = (slow: boolean): Promise<unknown> =>
      page.request("third-reader", { channel: CHANNEL, slow });
    await Promise.all([ask(true), ask(false), ask(true)]);
    await expectConnections(page, 2);
    await clientFor(standalone, "page-2").request("third-reader", { channel: CHANNEL, slow: true });
    await expectConnections(page, 4);
  });

  test.each([
    null,
    {},
    { channel: CHANNEL },
    { channel: "room:1", slow: true },
    { channel: "demo: bad", slow: true },
    { channel: "demo:", slow: true },
    "demo:load",
  ])("doesn't take %j for an order", async (input) => {
    const page = clientFor(await startForTest(), "page-1");
    await expect(page.request("third-reader", input)).rejects.toMatchObject({
      code: "bad_request",
      fault: "client",
    });
  });

  test("isn't there for everybody at once", async () => {
    const standalone = await startForTest();
    const asked = Array.from({ length: 33 }, async (_, n) =>
      clientFor(standalone, `page-${n}`).request("third-reader", { channel: CHANNEL, slow: false }),
    );
    const outcomes = await Promise.allSettled(asked);
    const refused = outcomes.filter(({ status }) => status === "rejected");
    expect(refused).toMatchObject([{ reason: { code: "too_many_readers" } }]);
  });
});
