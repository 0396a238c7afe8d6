// The same over TLS, where a write is never done at once: order, slow consumers and closing.
import { createServer, request } from "node:https";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Client } from "@tailwire/client/core";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { nodePorts } from "../../src/drivers/node-ports.ts";
import { selfSigned } from "./certificate.ts";
import { frame, helloMessage, offsets, Peer, upgradeRequest } from "./peer.ts";
import { Follower, serve, type Served, type ServeOptions, turns, until, upTo } from "./support.ts";

const LARGE = { count: 100_000, bytes: 100_000_000, maxAgeMs: 600_000 };
const { key, cert } = selfSigned();

async function serveTls(options: ServeOptions = {}): Promise<Served> {
  return serve({ retention: LARGE, ...options, http: createServer({ key, cert }) });
}

/** A client as on Node, whose sockets trust the certificate. */
function connect(url: string): Client {
  const client = new Client(
    url,
    {},
    {
      clock: nodePorts.clock,
      random: nodePorts.random,
      abort: () => new AbortController(),
      life: () => () => undefined,
      warn: () => undefined,
      base64url: (text) => Buffer.from(text).toString("base64url"),
      connect: (address, subprotocols, events) => {
        const ws = new WebSocket(address, [...subprotocols], {
          ca: cert,
          perMessageDeflate: false,
        });
        ws.on("open", () => events.opened(ws.protocol));
        ws.on("message", (data: Buffer) => events.received(data.toString()));
        ws.on("error", () => undefined);
        ws.on("close", (code, reason) => events.closed(code, reason.toString()));
        return { send: (text) => ws.send(text), close: (code, reason) => ws.close(code, reason) };
      },
    },
  );
  client.onStatus(({ state, retryAt }) => {
    if (state === "reconnecting" && retryAt !== null) client.retryNow();
  });
  onTestFinished(() => {
    client.goOffline();
    return client.close();
  });
  return client;
}

/** A bare peer over TLS that follows the channel and stops reading. */
async function stuckPeer({ port, sockets }: Served): Promise<{ peer: Peer; socket: Socket }> {
  const before = new Set(sockets);
  const secure: TLSSocket = connectTls({ port, host: "127.0.0.1", ca: cert });
  const peer = new Peer(secure);
  secure.write(upgradeRequest(port, {}));
  await peer.answered();
  peer.say(helloMessage(), { type: "subscribe", channel: "room:1", start: "earliest" });
  await peer.message("caughtup");
  secure.pause();
  return { peer, socket: [...sockets].find((one) => !before.has(one)) as Socket };
}

test("[DEL-3] publications of two publishers arrive in one order at both, over TLS", async () => {
  const { url, broker } = await serveTls();
  const [ada, bob] = [connect(url), connect(url)];
  const followers = [ada, bob].map(
    (client) => new Follower(client.channel("room:1").subscribe({ start: "earliest" })),
  );
  const published = upTo(500).flatMap((value) => [
    ada.channel("room:1").publish("message", ["ada", value, "x".repeat(value)]),
    bob.channel("room:1").publish("message", ["bob", value, "é".repeat(value)]),
  ]);
  await Promise.all(published);
  for (const follower of followers) {
    await follower.has(1_000);
    expect(follower.holes).toEqual([]);
    expect(follower.data).toEqual(broker.appended.map(({ data }) => JSON.parse(data) as unknown));
  }
});

test("[SUB-4] a replay of 5,000 publications with acks between them arrives whole over TLS", async () => {
  const { url, tailwire } = await serveTls();
  const channel = tailwire.channel("room:{id}", { id: "1" });
  await Promise.all(upTo(5_000).map((value) => channel.publish("message", value)));
  const client = connect(url);
  const follower = new Follower(client.channel("room:1").subscribe({ start: "earliest" }));
  const published = upTo(200).map((n) => client.channel("room:1").publish("message", 5_000 + n));
  await Promise.all(published);
  await follower.has(5_200);
  expect(follower.holes).toEqual([]);
  expect(follower.data).toEqual(upTo(5_200));
});

test("[FLOW-1] a stuck connection costs one write over TLS, and gets everything in the end", async () => {
  const served = await serveTls({ limits: { tailBytesMax: 100_000_000 } });
  const { peer, socket } = await stuckPeer(served);
  const client = connect(served.url);
  const fast = new Follower(client.channel("room:1").subscribe());
  await fast.subscription.ready;
  const channel = served.tailwire.channel("room:{id}", { id: "1" });
  let waitingMax = 0;
  const count = 15_000;
  for (const value of upTo(count)) {
    const published = channel.publish("message", [value, "x".repeat(1_000)]);
    if (value % 50 !== 0) continue;
    await published;
    await turns(1);
    waitingMax = Math.max(waitingMax, socket.writableLength);
  }
  await fast.has(count);
  expect(fast.holes).toEqual([]);
  expect(waitingMax).toBeGreaterThan(0);
  expect(waitingMax).toBeLessThanOrEqual(2 * 65_536 + 10);
  peer.socket.resume();
  await until(() => offsets(peer).length === count, "the stuck connection to catch up");
  expect(offsets(peer)).toEqual(upTo(count));
});

test("[CLOSE-2] what was written before a close arrives before it over TLS", async () => {
  const served = await serveTls();
  const { peer } = await stuckPeer(served);
  peer.socket.resume();
  const channel = served.tailwire.channel("room:{id}", { id: "1" });
  await Promise.all(upTo(20).map((value) => channel.publish("message", value)));
  await until(() => offsets(peer).length > 0, "the first publications");
  await served.tailwire.close();
  expect((await peer.closed())?.code).toBe(1012);
  expect(offsets(peer)).toEqual(upTo(20));
});

test("beside the routes of an HTTPS server both work, and a plain request is theirs", async () => {
  const http = createServer({ key, cert }, (_request, response) => response.end("theirs"));
  const { port, url } = await serve({ http });
  const get = (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      request({ port, path, ca: cert, host: "127.0.0.1", agent: false }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve(text));
      })
        .on("error", reject)
        .end();
    });
  expect(await get("/hello")).toBe("theirs");
  const room = connect(url).channel("room:1");
  const follower = new Follower(room.subscribe({ start: "earliest" }));
  await room.publish("message", "through");
  await follower.has(1);
  expect(await get("/tailwire")).toBe("theirs");
});

test("a reset in the middle of a TLS handshake harms nobody", async () => {
  const served = await serveTls();
  const { peer } = await stuckPeer(served);
  peer.socket.resume();
  // The first bytes of a record that promises a ClientHello of 512 bytes.
  const socket = connectTcp(served.port, "127.0.0.1");
  socket.on("error", () => undefined);
  const sent = new Promise((resolve) =>
    socket.write(Buffer.from("1603010200010001fc", "hex"), resolve),
  );
  await sent;
  socket.resetAndDestroy();
  const garbage = connectTls({ port: served.port, host: "127.0.0.1", ca: cert });
  garbage.on("error", () => undefined).resume();
  await new Promise<void>((resolve) => garbage.once("secureConnect", () => resolve()));
  garbage.write(frame("not http"));
  await new Promise<void>((resolve) => garbage.once("close", () => resolve()));
  expect(await peer.lives()).toBe(true);
});
