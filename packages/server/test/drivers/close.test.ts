// The ends of connections: a server that closes, a client that closes, and a token that is refused.
import { createClient } from "@tailwire/client";
import { expect, test } from "vitest";
import { expectRefusal } from "./expect.ts";
import { frame, OPCODES, Peer, subscribed } from "./peer.ts";
import { connect, Follower, serve, type Served, turns, until, upTo } from "./support.ts";

const publishMessage = (data: unknown) => ({
  type: "publish",
  channel: "room:1",
  event: "message",
  data,
});

/** A server that lets in whoever has the token "good". */
async function serveTokens(): Promise<Served & { tokens: (string | null)[] }> {
  const tokens: (string | null)[] = [];
  const served = await serve({
    identification: {
      authenticate: (_request, token) => {
        tokens.push(token);
        return token === "good" ? { user: { id: "ada" } } : null;
      },
    },
  });
  return { ...served, tokens };
}

test("[CLOSE-5] close() says 1012 to every connection, those without a hello included", async () => {
  const { port, tailwire } = await serve();
  const peers = [
    await subscribed(port, "room:1"),
    await Peer.welcomed(port),
    await Peer.open(port),
  ];
  await tailwire.close();
  for (const peer of peers)
    expect(await peer.closed()).toEqual({ code: 1012, reason: "restarting" });
  expect(tailwire.connections).toBe(0);
  await tailwire.close();
});

test("[CLOSE-2] acks that wait to be sent go out before the close", async () => {
  const { port, tailwire, broker } = await serve();
  const peer = await Peer.welcomed(port);
  broker.after = () => {
    // After all promises have settled, before anything is written.
    process.nextTick(() => void tailwire.close());
    return Promise.resolve();
  };
  peer.say(...upTo(20).map(publishMessage));
  expect((await peer.closed())?.code).toBe(1012);
  await tailwire.close();
  expect(peer.messages.filter(({ type }) => type === "ack")).toHaveLength(20);
  expect(broker.appended).toHaveLength(20);
});

test("[CLOSE-2] publications that wait to be sent go out before the close, in order", async () => {
  const { port, tailwire } = await serve();
  const peer = await subscribed(port, "room:1");
  const channel = tailwire.channel("room:{id}", { id: "1" });
  await Promise.all(upTo(20).map((value) => channel.publish("message", value)));
  await tailwire.close();
  expect((await peer.closed())?.code).toBe(1012);
  const data = peer.messages.filter(({ type }) => type === "publication").map(({ data }) => data);
  expect(data).toEqual(upTo(data.length));
});

test("[CLOSE-5] close() resolves although a peer never answers the close", async () => {
  const { port, tailwire, sockets } = await serve({ limits: { closeTimeoutMs: 20 } });
  const peer = await Peer.welcomed(port);
  peer.answersClose = false;
  const polite = await Peer.welcomed(port);
  await tailwire.close();
  expect(peer.closeFrame?.code).toBe(1012);
  expect((await polite.closed())?.code).toBe(1012);
  await until(() => sockets.size === 0, "all sockets to be gone");
});

test("[CLOSE-5] close() resolves although a peer has stopped reading", async () => {
  const { port, tailwire, sockets } = await serve({ limits: { closeTimeoutMs: 20 } });
  const peer = await Peer.welcomed(port);
  peer.socket.pause();
  await tailwire.close();
  expect(tailwire.connections).toBe(0);
  await until(() => sockets.size === 0, "all sockets to be gone");
});

test("[CONN-7] upgrades while the server closes are answered 503, and afterwards aren't its own", async () => {
  const { port, tailwire, http } = await serve({ limits: { closeTimeoutMs: 2_000 } });
  const peer = await Peer.welcomed(port);
  peer.answersClose = false;
  const closing = tailwire.close();
  await expectRefusal(port, {}, 503, "unavailable");
  expect(tailwire.connections).toBe(1);
  peer.socket.destroy();
  await closing;
  expect([http.listenerCount("upgrade"), http.listenerCount("request")]).toEqual([0, 0]);
});

test("[CONN-7] an upgrade whose authenticate outlasts close() is answered 503", async () => {
  let decide: () => void = () => undefined;
  const thinking = new Promise<void>((resolve) => (decide = resolve));
  let asked = false;
  const { port, tailwire } = await serve({
    identification: {
      authenticate: async () => {
        asked = true;
        await thinking;
        return { user: { id: "ada" } };
      },
    },
  });
  const peer = Peer.ask(port);
  await until(() => asked, "authenticate to be asked");
  await tailwire.close();
  decide();
  expect((await peer.answered()).status).toBe(503);
  expect(tailwire.connections).toBe(0);
});

test("[CLOSE-1] a client that was told 1012 goes on trying", async () => {
  const first = await serve();
  const client = connect(first.url);
  const states: string[] = [];
  client.onStatus(({ state }) => states.push(state));
  const follower = new Follower(client.channel("room:1").subscribe());
  await follower.subscription.ready;
  await first.tailwire.close();
  await until(() => client.status.reason === "restarting", "the client to hear of it");
  expect(client.status.state).toBe("reconnecting");
  expect(follower.subscription.state).toBe("pending");
});

test("client.close() resolves when everything published was acknowledged", async () => {
  const { url, broker, tailwire } = await serve();
  const client = connect(url);
  const follower = new Follower(client.channel("room:1").subscribe());
  await follower.subscription.ready;
  const published = upTo(1_000).map((value) => client.channel("room:1").publish("message", value));
  await client.close();
  await Promise.all(published);
  expect(broker.appended.map(({ data }) => Number(data))).toEqual(upTo(1_000));
  expect(client.status.pending).toBe(0);
  expect(follower.subscription.state).toBe("closed");
  await until(() => tailwire.connections === 0, "the server to notice");
  await until(() => client.status.state === "closed", "the status");
  await expect(client.channel("room:1").publish("message", 1)).rejects.toMatchObject({
    code: "closed",
  });
});

test("client.close() ends with close code 1000", async () => {
  const { url, sockets } = await serve();
  const client = connect(url);
  await client.channel("room:1").subscribe().ready;
  const codes: number[] = [];
  const [socket] = sockets;
  // A close frame before `ws` unmasks it: the code is the first two bytes of its payload.
  socket?.prependListener("data", (chunk: Buffer) => {
    if (chunk[0] !== (0x80 | OPCODES.close)) return;
    const mask = chunk.subarray(2, 6);
    codes.push(((chunk[6] ?? 0) ^ (mask[0] ?? 0)) * 256 + ((chunk[7] ?? 0) ^ (mask[1] ?? 0)));
  });
  await client.close();
  await until(() => sockets.size === 0, "the socket to be gone");
  expect(codes).toEqual([1000]);
});

test("`await using` closes clients, subscriptions and servers", async () => {
  const { url, tailwire } = await serve();
  {
    await using client = createClient(url);
    {
      await using subscription = client.channel("room:1").subscribe();
      await subscription.ready;
      expect(tailwire.connections).toBe(1);
    }
    await client.channel("room:1").publish("message", 1);
  }
  await until(() => tailwire.connections === 0, "the client to have gone");
  let peer: Peer;
  {
    const served = await serve();
    await using server = served.tailwire;
    peer = await Peer.welcomed(served.port);
    expect(server.connections).toBe(1);
  }
  expect((await peer.closed())?.code).toBe(1012);
});

test("[AUTH-5] a refused token is tried again once with a fresh one, then the client is closed", async () => {
  const { url, tokens } = await serveTokens();
  let asked = 0;
  const client = connect(url, { getToken: () => `bad${(asked += 1)}` });
  const subscription = client.channel("room:1").subscribe();
  const ends: (string | undefined)[] = [];
  subscription.onEnd((error) => ends.push(error?.code));
  const iterated = (async () => {
    for await (const _publication of subscription) throw new Error("nothing may come");
  })();
  const published = client.channel("room:1").publish("message", 1);
  await expect(iterated).rejects.toMatchObject({ code: "unauthenticated" });
  await expect(published).rejects.toMatchObject({ code: "unauthenticated" });
  await expect(subscription.ready).rejects.toMatchObject({ code: "unauthenticated" });
  await until(() => client.status.state === "closed", "the status");
  expect(client.status).toMatchObject({ reason: "unauthenticated", pending: 0, retryAt: null });
  expect(ends).toEqual(["unauthenticated"]);
  await turns(50);
  expect(tokens).toEqual(["bad1", "bad2"]);
  expect(asked).toBe(2);
});

test("[AUTH-5] a token that was refused once and is good the second time connects", async () => {
  const { url, tokens } = await serveTokens();
  let asked = 0;
  const client = connect(url, { getToken: () => ((asked += 1) === 1 ? "expired" : "good") });
  await client.channel("room:1").subscribe().ready;
  expect(tokens).toEqual(["expired", "good"]);
});

test("a peer that sends after its close is not heard", async () => {
  const { port, broker } = await serve();
  const peer = await Peer.welcomed(port);
  peer.answersClose = false;
  const close = frame(Buffer.from([3, 232]), { opcode: OPCODES.close });
  const late = JSON.stringify({ id: "r9", timestamp: 1, ...publishMessage(1) });
  peer.socket.write(Buffer.concat([close, frame(late)]));
  expect((await peer.closed())?.code).toBe(1000);
  expect(broker.appended).toEqual([]);
});
