// Real client and real server on real sockets: whatever the network does between them, subscribers
// see exactly what was published, and every acknowledged publication is in the log once.
import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { type Link, Proxy, type Tap } from "./proxy.ts";
import {
  collectSockets,
  connect,
  dice,
  Follower,
  listen,
  type Served,
  type ServeOptions,
  serve,
  turns,
  until,
  upTo,
} from "./support.ts";

const LARGE = { count: 100_000, bytes: 100_000_000, maxAgeMs: 600_000 };

/** The server's deadlines have a grain of 250 ms: shorter heartbeats drop live connections. */
const QUICK = { pingIntervalMs: 250, pongTimeoutMs: 750, missedPongsMax: 1, closeTimeoutMs: 50 };

async function serveBehindProxy(options: ServeOptions = {}): Promise<Served & { proxy: Proxy }> {
  const served = await serve({ retention: LARGE, ...options });
  return { ...served, proxy: await Proxy.before(served.port) };
}

/** Publishes 1 … n as the server. */
async function fill({ tailwire }: Served, n: number): Promise<void> {
  const channel = tailwire.channel("room:{id}", { id: "1" });
  await Promise.all(upTo(n).map((value) => channel.publish("message", value)));
}

/** Cuts each of the first links after a number of bytes towards the client. */
function cutAfter(limits: readonly number[]): Tap {
  return (link, direction, chunk) => {
    const limit = limits[link.number];
    if (limit === undefined || direction !== "toClient") return null;
    const before = link.bytes.toClient - chunk.length;
    return link.bytes.toClient > limit ? Math.max(0, limit - before) : null;
  };
}

function expectWhole(follower: Follower, n: number): void {
  expect(follower.holes).toEqual([]);
  expect(follower.gaps).toEqual([]);
  expect(follower.data).toEqual(upTo(n));
}

test("[DEL-3] a replay of 20,000 publications that is cut twelve times arrives whole", async () => {
  const served = await serveBehindProxy();
  await fill(served, 20_000);
  const roll = dice(1);
  const limits = upTo(12).map(() => Math.floor(200 + roll() * 400_000));
  served.proxy.tap = cutAfter(limits);
  const client = connect(served.proxy.url);
  const follower = new Follower(client.channel("room:1").subscribe({ start: "earliest" }));
  await follower.has(20_000);
  await turns(50);
  expectWhole(follower, 20_000);
  expect(served.proxy.links.length).toBeGreaterThan(5);
});

test("[DEL-3] cuts at each byte from the upgrade's answer to the first publications lose nothing", async () => {
  const served = await serveBehindProxy();
  await fill(served, 20);
  const limits = [0, 1, 20, 100, 128, 129, 130, 131, 200, 400, 420, 450, 500, 600, 700, 900, 1200];
  served.proxy.tap = cutAfter(limits);
  const client = connect(served.proxy.url);
  const follower = new Follower(client.channel("room:1").subscribe({ start: "earliest" }));
  await follower.has(20);
  await turns(50);
  expectWhole(follower, 20);
});

test("[PUB-4] publications that were swallowed before they arrived are sent again, once", async () => {
  const served = await serveBehindProxy();
  const { proxy, broker } = served;
  const client = connect(proxy.url);
  const follower = new Follower(client.channel("room:1").subscribe({ start: "earliest" }));
  await follower.subscription.ready;
  proxy.fallSilent("toServer");
  const published = upTo(10).map((value) => client.channel("room:1").publish("message", value));
  const sent = proxy.links[0] as Link;
  const before = sent.bytes.toServer;
  await until(() => sent.bytes.toServer > before, "bytes that the proxy swallows");
  expect(broker.appended).toEqual([]);
  proxy.cut();
  await Promise.all(published);
  await follower.has(10);
  expectWhole(follower, 10);
  expect(broker.appended).toHaveLength(10);
  expect(broker.duplicates).toBe(0);
});

test("[PUB-4] a cut while the broker has not appended yet leaves each publication in the log once", async () => {
  const served = await serveBehindProxy();
  const { proxy, broker, tailwire } = served;
  const client = connect(proxy.url);
  const follower = new Follower(client.channel("room:1").subscribe({ start: "earliest" }));
  await follower.subscription.ready;
  let waiting = 0;
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  broker.before = () => {
    waiting += 1;
    return gate;
  };
  const published = upTo(10).map((value) => client.channel("room:1").publish("message", value));
  await until(() => waiting > 0, "an append that is held up");
  proxy.cut();
  await until(() => tailwire.connections === 0, "the server noticing the cut");
  await until(() => client.status.state === "connected", "a new connection");
  expect(broker.appended).toEqual([]);
  release();
  await Promise.all(published);
  await follower.has(10);
  await turns(50);
  expectWhole(follower, 10);
  expect(broker.appended).toHaveLength(10);
});

test("[PUB-4] a cut between append and ack leaves each publication in the log once", async () => {
  const served = await serveBehindProxy();
  const { proxy, broker, tailwire } = served;
  const client = connect(proxy.url);
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  broker.after = () => gate;
  const published = upTo(10).map((value) => client.channel("room:1").publish("message", value));
  await until(() => broker.appended.length > 0, "appends whose answer is held up");
  proxy.cut();
  await until(() => tailwire.connections === 0, "the server noticing the cut");
  broker.after = () => Promise.resolve();
  release();
  const positions = await Promise.all(published);
  expect(positions.map(({ position }) => position.offset)).toEqual(upTo(10));
  expect(broker.appended.map(({ data }) => Number(data))).toEqual(upTo(10));
  expect(broker.duplicates).toBeGreaterThan(0);
});

for (const directions of [["toServer"], ["toClient"], ["toServer", "toClient"]] as const) {
  test(`[LIVE-3] a link silent ${directions.join(" and ")} is given up by both ends, and nothing is lost`, async () => {
    const served = await serveBehindProxy({ limits: QUICK });
    const { proxy, tailwire } = served;
    const client = connect(proxy.url);
    const follower = new Follower(client.channel("room:1").subscribe({ start: "earliest" }));
    await fill(served, 10);
    await follower.has(10);
    proxy.fallSilent(...directions);
    const published = upTo(10).map((n) => client.channel("room:1").publish("message", 10 + n));
    await until(() => proxy.links.length > 1, "the client's second attempt");
    await Promise.all(published);
    await follower.has(20);
    expectWhole(follower, 20);
    await until(() => tailwire.connections === 1, "the server letting go of the silent connection");
  });
}

test("[LIVE-3] a link that is silent from its first byte does not keep the client from the next", async () => {
  const served = await serveBehindProxy({ limits: QUICK });
  const { proxy } = served;
  await fill(served, 10);
  const client = connect(proxy.url);
  const follower = new Follower(client.channel("room:1").subscribe({ start: "earliest" }));
  await follower.has(10);
  // Silence while connecting has a deadline of 15 s, which a cut shortens here.
  proxy.silent.add("toClient");
  proxy.cut();
  await until(() => proxy.links.length > 1, "an attempt that hears nothing");
  await fillMore(served, 10, 10);
  proxy.silent.clear();
  proxy.cut();
  await follower.has(20);
  expectWhole(follower, 20);
});

async function fillMore({ tailwire }: Served, from: number, n: number): Promise<void> {
  const channel = tailwire.channel("room:{id}", { id: "1" });
  for (const value of upTo(n)) await channel.publish("message", from + value);
}

test("[DEL-3, PUB-9] a server whose listener restarts on its port goes on with the same log", async () => {
  const served = await serve({ retention: LARGE });
  const { http, port, tailwire, url, sockets } = served;
  const client = connect(url);
  const follower = new Follower(client.channel("room:1").subscribe({ start: "earliest" }));
  const before = upTo(50).map((value) => client.channel("room:1").publish("message", value));
  await Promise.all(before);
  const after = upTo(50).map((n) => client.channel("room:1").publish("message", 50 + n));
  const closed = new Promise((resolve) => http.close(resolve));
  for (const socket of sockets) socket.resetAndDestroy();
  await closed;
  await until(() => client.status.attempt > 2, "attempts that nobody answers");
  const second = createServer();
  const secondSockets = collectSockets(second);
  tailwire.attach(second);
  await listen(second, port);
  onTestFinished(() => {
    for (const socket of secondSockets) socket.destroy();
  });
  await Promise.all(after);
  await follower.has(100);
  expectWhole(follower, 100);
});

test("[PUB-4, DEL-3, PUB-8] random cuts under load double nothing, lose nothing and keep each publisher's order", async () => {
  const served = await serveBehindProxy();
  const { proxy, broker } = served;
  const roll = dice(20);
  const limits = upTo(20).map(() => Math.floor(roll() * 20_000));
  proxy.tap = ({ number, bytes }, _direction, chunk) => {
    const limit = limits[number] ?? Infinity;
    return bytes.toServer + bytes.toClient > limit ? Math.floor(roll() * chunk.length) : null;
  };
  const [ada, bob, eve] = [connect(proxy.url), connect(proxy.url), connect(proxy.url)];
  const follower = new Follower(eve.channel("room:1").subscribe({ start: "earliest" }));
  const positions: Promise<{ position: { offset: number; id: string | null } }>[] = [];
  for (let round = 0; proxy.links.length < limits.length + 3; round += 1) {
    positions.push(ada.channel("room:1").publish("message", ["ada", round, "x".repeat(100)]));
    positions.push(bob.channel("room:1").publish("message", ["bob", round, "x".repeat(100)]));
    if (ada.status.pending + bob.status.pending > 500) await Promise.all(positions);
    await turns(1);
  }
  const acknowledged = (await Promise.all(positions)).map(({ position }) => position);
  await follower.has(positions.length);
  await turns(50);
  expect(follower.holes).toEqual([]);
  expect(follower.gaps).toEqual([]);
  expect(follower.data).toEqual(broker.appended.map(({ data }) => JSON.parse(data) as unknown));
  expect(follower.ids.toSorted()).toEqual(acknowledged.map(({ id }) => id ?? "").toSorted());
  expect(new Set(follower.ids).size).toBe(positions.length);
  for (const name of ["ada", "bob"]) {
    const rounds = (follower.data as [string, number][]).filter(([who]) => who === name);
    expect(rounds.map(([, round]) => round)).toEqual(upTo(positions.length / 2).map((n) => n - 1));
  }
});
