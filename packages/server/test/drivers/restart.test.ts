// A server that comes back with an empty memory: nothing is lost silently, and nothing that may have
// been logged before is logged again.
import { expect, test } from "vitest";
import { Proxy } from "./proxy.ts";
import { connect, Follower, serve, type Served, until, upTo } from "./support.ts";

const LARGE = { count: 100_000, bytes: 100_000_000, maxAgeMs: 600_000 };

test("[DEL-4] a server that comes back with an empty memory is told as one gap, of unknown size", async () => {
  const first = await serve({ retention: LARGE });
  const proxy = await Proxy.before(first.port);
  const client = connect(proxy.url);
  const follower = new Follower(client.channel("room:1").subscribe({ start: "earliest" }));
  await Promise.all(upTo(10).map((value) => client.channel("room:1").publish("message", value)));
  await follower.has(10);
  const second = await serve({ retention: LARGE });
  proxy.target = second.port;
  proxy.cut();
  await until(() => follower.gaps.length > 0, "the gap");
  await client.channel("room:1").publish("message", 11);
  await follower.has(11);
  expect(follower.data).toEqual(upTo(11));
  expect(follower.gaps).toMatchObject([{ reason: "epoch", lost: null }]);
});

interface Lost {
  readonly proxy: Proxy;
  readonly second: Served;
  /** The publication whose ack was held up until its server was gone. */
  readonly published: Promise<unknown>;
  /** Milliseconds between its first send and the start of the second server. */
  readonly aheadMs: number;
}

/** A publication is logged, and its server is replaced, by an empty one, before the ack. */
async function loseAck(aheadMs: number): Promise<Lost & { again: () => Promise<unknown> }> {
  const first = await serve({ retention: LARGE });
  const proxy = await Proxy.before(first.port);
  const client = connect(proxy.url);
  const publish = (value: number): Promise<unknown> =>
    client.channel("room:1").publish("message", value);
  await publish(1);
  first.broker.after = () => new Promise(() => undefined);
  const sentAt = performance.now();
  const published = publish(2);
  await until(() => first.broker.appended.length === 2, "the append");
  await until(() => performance.now() - sentAt > aheadMs, "time to pass");
  const second = await serve({ retention: LARGE });
  proxy.target = second.port;
  return { proxy, second, published, aheadMs: performance.now() - sentAt, again: () => publish(3) };
}

test("[PUB-5] a publication whose ack died with the server's memory is indeterminate", async () => {
  // By far more than a message takes here: see the next test.
  const { proxy, second, published, again } = await loseAck(500);
  proxy.cut();
  await expect(published).rejects.toMatchObject({ code: "indeterminate" });
  expect(second.broker.appended).toEqual([]);
  await again();
  expect(second.broker.appended).toHaveLength(1);
});

// Arrival − ageMs is later than the first send by as long as the repeat was on its way.
test("[PUB-5] a repeat that was on its way for longer than the restart took is indeterminate", async () => {
  const { proxy, second, published, aheadMs } = await loseAck(0);
  let heldAt: number | null = null;
  proxy.tap = ({ bytes, server }, direction, chunk) => {
    // All but the upgrade request waits: hello, and the repeat with it.
    if (direction === "toServer" && bytes.toServer > chunk.length && heldAt === null) {
      heldAt = performance.now();
      server.cork();
    }
    return null;
  };
  proxy.cut();
  await until(() => performance.now() - (heldAt ?? Infinity) > aheadMs + 50, "time to pass");
  proxy.links.at(-1)?.server.uncork();
  const outcome = await published.catch((error: unknown) => (error as { code: string }).code);
  expect(second.broker.appended).toEqual([]);
  expect(outcome).toBe("indeterminate");
});
