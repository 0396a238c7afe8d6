// The tables of a connection's states are what a real connection does, cell by cell.
import { describe, expect, test } from "vitest";
import { ACCEPTANCES, CONNECTION_STATES, type ConnectionState } from "@tailwire/server/core";
import { accepts, type ConnectionEvent, nextState } from "../../src/connection/states.ts";
import { TestNode, hello, type Peer, publish, type Said, subscribe } from "../harness.ts";

const STATES = Object.keys(CONNECTION_STATES) as ConnectionState[];
const EVENTS = ["hello", "close", "gone"] as const satisfies readonly ConnectionEvent[];

const MESSAGES: Readonly<Record<Said["type"], Said>> = {
  hello: hello(),
  subscribe: subscribe(),
  unsubscribe: { type: "unsubscribe", channel: "room:1" },
  publish: publish(1),
  authenticate: { type: "authenticate", token: "ada" },
  read: { type: "read", channel: "room:1", count: 10 },
  request: { type: "request", name: "unheard-of", data: null },
  cancel: { type: "cancel", re: "r0" },
  ping: { type: "ping" },
  pong: { type: "pong", re: "s1" },
};

/** A peer whose connection is in a state, with nothing noted yet. */
async function peerIn(state: ConnectionState, testNode = new TestNode()): Promise<Peer> {
  const peer = testNode.peer();
  if (state !== "awaiting hello") await peer.say(hello());
  if (state === "closing" || state === "closed") peer.connection.close("done");
  if (state === "closed") peer.connection.gone();
  peer.forget();
  expect(peer.connection.state).toBe(state);
  return peer;
}

/** Each event, done to a real connection. */
const HAPPENINGS: Readonly<Record<ConnectionEvent, (peer: Peer) => Promise<void> | void>> = {
  hello: (peer) => peer.say(hello()),
  close: (peer) => peer.connection.close("done"),
  gone: (peer) => peer.connection.gone(),
};

/** The whole table, written down a second time: whoever changes it has to mean it. */
const LEADS_TO: Readonly<Record<ConnectionState, readonly ConnectionState[]>> = {
  "awaiting hello": ["open", "closing", "closed"],
  open: ["open", "closing", "closed"],
  closing: ["closing", "closing", "closed"],
  closed: ["closed", "closed", "closed"],
};

describe("every state and every event", () => {
  const cells = STATES.flatMap((state) =>
    EVENTS.map((event, index) => [state, event, LEADS_TO[state][index] ?? state] as const),
  );

  test.each(cells)("%s: after %s it is %s", async (state, event, next) => {
    expect(nextState(state, event)).toBe(next);
    const peer = await peerIn(state);
    await HAPPENINGS[event](peer);
    expect(peer.connection.state).toBe(next);
    expect(peer.socket.violations).toEqual([]);
  });

  test("the table has no other states or events", () => {
    expect(STATES).toEqual(Object.keys(LEADS_TO));
    for (const events of Object.values(CONNECTION_STATES)) {
      expect(EVENTS).toEqual(expect.arrayContaining(Object.keys(events)));
    }
  });
});

const VIOLATION = { heard: ["error r1 not_ready"], calls: ["close 4502 protocol_violation"] };
const NOTHING = { heard: [], calls: [] };

/** Messages heard and calls made in answer to each message, by state. */
const ANSWERS: Readonly<
  Record<
    ConnectionState,
    Readonly<Record<Said["type"], { heard: readonly string[]; calls: readonly string[] }>>
  >
> = {
  "awaiting hello": {
    hello: { heard: ["welcome r1"], calls: [] },
    subscribe: VIOLATION,
    unsubscribe: VIOLATION,
    publish: VIOLATION,
    authenticate: VIOLATION,
    request: VIOLATION,
    read: VIOLATION,
    cancel: VIOLATION,
    ping: VIOLATION,
    pong: VIOLATION,
  },
  open: {
    hello: { heard: ["error r1 not_ready"], calls: [] },
    subscribe: { heard: ["ack r1", "caughtup"], calls: [] },
    unsubscribe: { heard: ["error r1 not_subscribed"], calls: [] },
    publish: { heard: ["ack r1"], calls: [] },
    authenticate: { heard: ["ack r1"], calls: [] },
    request: { heard: ["error r1 unknown_request"], calls: [] },
    read: { heard: ["ack r1"], calls: [] },
    cancel: NOTHING,
    ping: { heard: ["pong r1"], calls: [] },
    pong: NOTHING,
  },
  closing: {
    hello: NOTHING,
    subscribe: NOTHING,
    unsubscribe: NOTHING,
    publish: NOTHING,
    authenticate: NOTHING,
    read: NOTHING,
    request: NOTHING,
    cancel: NOTHING,
    ping: NOTHING,
    pong: NOTHING,
  },
  closed: {
    hello: NOTHING,
    subscribe: NOTHING,
    unsubscribe: NOTHING,
    publish: NOTHING,
    authenticate: NOTHING,
    read: NOTHING,
    request: NOTHING,
    cancel: NOTHING,
    ping: NOTHING,
    pong: NOTHING,
  },
};

describe("every state and every message", () => {
  const types = Object.keys(MESSAGES) as Said["type"][];
  const cells = STATES.flatMap((state) => types.map((type) => [state, type] as const));

  test.each(cells)("[CONN-2] %s: %s is answered as the table says", async (state, type) => {
    const testNode = new TestNode();
    const peer = await peerIn(state, testNode);
    await peer.say(MESSAGES[type]);
    const calls = peer.socket.calls.filter((call) => call !== "resume");
    expect({ heard: peer.heardInShort, calls }).toEqual(ANSWERS[state][type]);
    expect(peer.socket.violations).toEqual([]);
    expect(testNode.node.channels).toBe(state === "open" && type === "subscribe" ? 1 : 0);
  });

  test("the table has no other messages", () => {
    for (const state of STATES) {
      expect(Object.keys(ACCEPTANCES[state]).toSorted()).toEqual(types.toSorted());
    }
    expect(accepts("open", "ping")).toBe("take");
  });
});

describe("the beginning", () => {
  test("[CONN-3] what follows hello in the same WebSocket message is answered after welcome", async () => {
    const peer = new TestNode().peer();
    await peer.say(hello(), subscribe(), publish(1), { type: "ping" });
    expect(peer.heardInShort[0]).toBe("welcome r1");
    const rest = peer.heardInShort.slice(1).toSorted();
    expect(rest).toEqual(["ack r2", "ack r3", "caughtup", "pong r4", "publication 1"]);
  });

  test("[CONN-2] nothing that follows a violation in the same WebSocket message is carried out", async () => {
    const testNode = new TestNode();
    const peer = testNode.peer();
    await peer.say({ type: "ping" }, hello(), publish(1));
    expect(peer.heardInShort).toEqual(["error r1 not_ready"]);
    expect(testNode.node.channels).toBe(0);
  });

  test("[CONN-5] a malformed message before hello is answered, and closes with 4502", async () => {
    const peer = new TestNode().peer();
    await peer.sayText('{"type":"hello","id":"r1","timestamp":1}');
    expect(peer.heardInShort).toEqual(["error r1 bad_message"]);
    expect(peer.socket.calls).toContain("close 4502 protocol_violation");
  });

  test.each([
    [16_384, "open"],
    [16_385, "closing"],
  ] as const)("[CONN-4] of %i bytes before hello, it is %s", async (bytes, state) => {
    const peer = new TestNode().peer();
    const text = peer.text(hello()).trimEnd();
    await peer.sayText(`${text}${" ".repeat(bytes - text.length - 1)}\n`);
    expect(peer.connection.state).toBe(state);
    expect(peer.socket.calls.includes("close 1009 too_large")).toBe(state === "closing");
  });

  test("[CONN-4] what is measured before hello is bytes of UTF-8, not characters", async () => {
    const peer = new TestNode().peer();
    await peer.sayText(peer.text(hello({ session: "é".repeat(8_200) })));
    expect(peer.socket.calls).toContain("close 1009 too_large");
    expect(peer.heard).toEqual([]);
  });

  test("[CONN-4] after hello a WebSocket message may be larger than 16 KiB", async () => {
    const peer = await new TestNode().openPeer();
    await peer.say(publish("x".repeat(20_000)));
    expect(peer.heardInShort).toEqual(["ack r1"]);
  });

  test("[CONN-1] without hello the connection closes with 4408 in time", async () => {
    const testNode = new TestNode({ limits: { helloTimeoutMs: 10_000 } });
    const peer = testNode.peer();
    await testNode.clock.advance(9_999);
    expect(peer.connection.state).toBe("awaiting hello");
    await testNode.clock.advance(251);
    expect(peer.socket.calls).toContain("close 4408 hello_timeout");
  });

  test("[CONN-1] with hello in time it stays", async () => {
    const testNode = new TestNode();
    const peer = testNode.peer();
    await testNode.clock.advance(9_990);
    await peer.say(hello());
    await testNode.clock.advance(2_000);
    expect(peer.connection.state).toBe("open");
  });
});

describe("the end", () => {
  test("[MSG-7] the third malformed message closes with 4400, and each is answered", async () => {
    const peer = await new TestNode().openPeer();
    await peer.sayText("{}\n[\n");
    expect(peer.connection.state).toBe("open");
    await peer.say({ type: "ping" });
    await peer.sayText("{}\n{}\n");
    const bad = "error bad_message";
    expect(peer.heardInShort).toEqual([bad, bad, "pong r1", bad]);
    expect(peer.socket.calls).toContain("close 4400 bad_message");
  });

  test("[CLOSE-2] what is queued is written before the close", async () => {
    const peer = await new TestNode().openPeer();
    peer.connection.input.receive(peer.text({ type: "ping" }));
    expect(peer.heard).toEqual([]);
    peer.connection.close("restarting");
    expect(peer.heardInShort).toEqual(["pong r1"]);
    expect(peer.socket.violations).toEqual([]);
  });

  test("[CLOSE-2] nothing is written before the close while a write is incomplete", async () => {
    const peer = await new TestNode().openPeer();
    peer.socket.completes = false;
    await peer.say({ type: "ping" });
    await peer.say({ type: "ping" });
    peer.connection.close("restarting");
    await peer.drain();
    expect(peer.heardInShort).toEqual(["pong r1"]);
    expect(peer.socket.violations).toEqual([]);
  });

  test("[CLOSE-3] a reason is the close's name, with a detail cut to 123 bytes", () => {
    const peer = new TestNode().peer();
    peer.connection.close("restarting", "é".repeat(100));
    const [reason] = peer.socket.calls.filter((call) => call.startsWith("close 1012 "));
    expect(reason?.startsWith("close 1012 restarting: é")).toBe(true);
    expect(Buffer.byteLength(reason ?? "") - "close 1012 ".length).toBeLessThanOrEqual(123);
  });

  test("a close that the peer doesn't answer ends in the socket's destruction", async () => {
    const testNode = new TestNode();
    const peer = await testNode.openPeer();
    peer.connection.close("done");
    await testNode.clock.advance(4_999);
    expect(peer.socket.calls).not.toContain("destroy");
    await testNode.clock.advance(251);
    expect(peer.socket.calls.filter((call) => call === "destroy")).toEqual(["destroy"]);
    expect(testNode.node.connections).toBe(0);
    await testNode.clock.advance(30_000);
    expect(testNode.clock.pending).toBe(0);
  });

  test("a connection that is gone leaves no channel, no timer and no subscription behind", async () => {
    const testNode = new TestNode();
    const peer = await testNode.openPeer();
    await peer.say(subscribe("room:1"), subscribe("room:2"));
    expect(testNode.node.channels).toBe(2);
    peer.connection.gone();
    expect([testNode.node.channels, testNode.node.connections]).toEqual([0, 0]);
    expect(peer.connection.subscriptions.size).toBe(0);
  });

  test("[CLOSE-5] a server that stops closes its connections with 1012", async () => {
    const testNode = new TestNode();
    const peers = [await testNode.openPeer("ada"), await testNode.openPeer("bob")];
    let stopped = false;
    const closed = testNode.node.close().then(() => {
      stopped = true;
    });
    for (const { socket, connection } of peers) {
      expect(socket.calls).toContain("close 1012 restarting");
      expect(stopped).toBe(false);
      connection.gone();
    }
    await closed;
    expect(stopped).toBe(true);
  });
});
