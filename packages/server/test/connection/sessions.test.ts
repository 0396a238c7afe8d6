// Connections of one session on a node: the newest is the one, the others end with a verdict.
import { describe, expect, test } from "vitest";
import { TestNode, hello, type Peer, publish, type Said, subscribe } from "../harness.ts";

/** A peer that says hello with a generation. */
async function peerOf(
  testNode: TestNode,
  generation: number,
  changes: { session?: string; overlap?: boolean; user?: string } = {},
): Promise<Peer> {
  const { user = "ada", ...rest } = changes;
  const peer = testNode.peer(user);
  await peer.say(hello({ generation, ...rest }));
  return peer;
}

const closes = ({ socket }: Peer): readonly string[] =>
  socket.calls.filter((call) => call.startsWith("close"));

const SUPERSEDED = ["close 4509 superseded"];
const IN_USE = ["close 4510 session_in_use"];

describe("[CONN-6] a newer connection of a session", () => {
  test("supersedes the older at once, and goes on itself", async () => {
    const testNode = new TestNode();
    const older = await peerOf(testNode, 1);
    await older.say(subscribe());
    const newer = await peerOf(testNode, 2);
    expect(closes(older)).toEqual(SUPERSEDED);
    expect(newer.heardInShort).toEqual(["welcome r1"]);
    older.forget();
    await newer.say(subscribe(), publish(1));
    expect(newer.heardInShort).toContain("publication 1");
    expect(older.heard).toEqual([]);
    expect(older.socket.violations).toEqual([]);
  });

  test("that asks for overlap lets the older stay for 30 s", async () => {
    const testNode = new TestNode();
    const older = await peerOf(testNode, 1);
    await older.say(subscribe());
    const newer = await peerOf(testNode, 2, { overlap: true });
    await newer.say(subscribe());
    older.forget();
    await newer.say(publish(1));
    expect(older.heardInShort).toEqual(["publication 1"]);
    expect(newer.heardInShort).toContain("publication 1");
    await testNode.clock.advance(10_000);
    // It is fenced only once the newer one has published.
    await older.say(publish(2));
    expect(older.heardInShort.at(-1)).toBe("error r1 fenced");
    // A repeat that may have been appended before it was fenced isn't called refused [PUB-5].
    await older.say({ ...publish(3), repeat: { ageMs: 1 } } as Said);
    expect(older.heardInShort.at(-1)).toBe("error r2 indeterminate");
    await testNode.clock.advance(testNode.limits.overlapMs - 10_001);
    expect(closes(older)).toEqual([]);
    await testNode.clock.advance(1);
    expect(closes(older)).toEqual(SUPERSEDED);
    expect(newer.connection.state).toBe("open");
  });

  test("is one of two that overlap at most: a third closes the first", async () => {
    const testNode = new TestNode();
    const first = await peerOf(testNode, 1);
    const second = await peerOf(testNode, 2, { overlap: true });
    const third = await peerOf(testNode, 3, { overlap: true });
    expect(closes(first)).toEqual(SUPERSEDED);
    expect(closes(second)).toEqual([]);
    await peerOf(testNode, 4);
    expect([second, third].map(closes)).toEqual([SUPERSEDED, SUPERSEDED]);
  });

  test("that asks for overlap doesn't mind an older one that leaves early", async () => {
    const testNode = new TestNode();
    const older = await peerOf(testNode, 1);
    const newer = await peerOf(testNode, 2, { overlap: true });
    older.connection.gone();
    await testNode.clock.advance(testNode.limits.overlapMs);
    expect(closes(older)).toEqual([]);
    expect(newer.connection.state).toBe("open");
    const next = await peerOf(testNode, 3);
    expect(closes(newer)).toEqual(SUPERSEDED);
    expect(next.connection.state).toBe("open");
  });

  test("that goes leaves the session to the one that overlaps, which the next one supersedes", async () => {
    const testNode = new TestNode();
    const older = await peerOf(testNode, 1);
    const newer = await peerOf(testNode, 2, { overlap: true });
    newer.connection.gone();
    const clone = await peerOf(testNode, 1);
    expect(closes(clone)).toEqual(IN_USE);
    expect(closes(older)).toEqual([]);
    await peerOf(testNode, 3);
    expect(closes(older)).toEqual(SUPERSEDED);
  });

  test("with a lower generation is closed itself, and never welcomed", async () => {
    const testNode = new TestNode();
    const here = await peerOf(testNode, 5);
    const late = await peerOf(testNode, 4);
    expect(closes(late)).toEqual(SUPERSEDED);
    expect(late.heard).toEqual([]);
    expect(here.connection.state).toBe("open");
    late.connection.gone();
    // It has taken nothing with it.
    expect(closes(await peerOf(testNode, 4))).toEqual(SUPERSEDED);
    await here.say({ type: "ping" });
    expect(here.heardInShort.at(-1)).toBe("pong r2");
  });

  test("with an equal generation is closed with 4510, overlap or not", async () => {
    const testNode = new TestNode();
    const here = await peerOf(testNode, 1);
    for (const overlap of [false, true]) {
      const twin = await peerOf(testNode, 1, { overlap });
      expect(closes(twin)).toEqual(IN_USE);
      expect(twin.heard).toEqual([]);
    }
    await testNode.clock.advance(1_000);
    expect(here.connection.state).toBe("open");
  });

  test("may come with any generation once the older has gone", async () => {
    const testNode = new TestNode();
    const older = await peerOf(testNode, 7);
    older.connection.gone();
    const again = await peerOf(testNode, 7);
    expect(again.connection.state).toBe("open");
    again.connection.gone();
    expect((await peerOf(testNode, 1)).connection.state).toBe("open");
  });
});

test("[CONN-6] connections of other users and other sessions leave each other alone", async () => {
  const testNode = new TestNode();
  const peers = [
    await peerOf(testNode, 1),
    await peerOf(testNode, 2, { user: "bob" }),
    await peerOf(testNode, 3, { session: "another-session-1" }),
  ];
  for (const { connection } of peers) expect(connection.state).toBe("open");
});

test("[CONN-6] what follows hello on a connection that is too late isn't carried out", async () => {
  const testNode = new TestNode();
  const here = await peerOf(testNode, 2);
  const late = testNode.peer();
  await late.say(hello({ generation: 1 }), publish("from the past"), subscribe());
  expect(late.heard).toEqual([]);
  expect(closes(late)).toEqual(SUPERSEDED);
  const { offset } = await testNode.node.publish("room:1", "said", "first");
  expect(offset).toBe(1);
  expect(here.connection.state).toBe("open");
});

test("the application is told of each connection that was welcomed, and of its end, once", async () => {
  const told: string[] = [];
  const testNode = new TestNode({
    application: {
      onConnect: ({ client, context }) => {
        context["name"] = `connection ${told.length}`;
        told.push(`+ ${client} ${String(context["name"])}`);
      },
      onDisconnect: ({ client, context }) => told.push(`- ${client} ${String(context["name"])}`),
    },
  });
  const one = await peerOf(testNode, 2);
  const client = one.connection.identity?.clientId;
  for (const generation of [1, 2]) (await peerOf(testNode, generation)).connection.gone();
  const stranger = testNode.peer();
  stranger.connection.gone();
  const two = await peerOf(testNode, 3);
  one.connection.gone();
  two.connection.gone();
  expect(told).toEqual([
    `+ ${client} connection 0`,
    `+ ${client} connection 1`,
    `- ${client} connection 0`,
    `- ${client} connection 1`,
  ]);
});

test("[CLOSE-1] a user whom the application disconnects is closed for good, on all connections", async () => {
  const testNode = new TestNode();
  const peers = [
    await peerOf(testNode, 1),
    await peerOf(testNode, 1, { session: "another-session-1" }),
  ];
  const bob = await peerOf(testNode, 1, { user: "bob" });
  testNode.node.disconnect("ada");
  for (const peer of peers) expect(closes(peer)).toEqual(["close 4504 disconnected"]);
  expect(bob.connection.state).toBe("open");
});

test("[AUTH-8] a hello that names the public id of another user's session is refused for good", async () => {
  const testNode = new TestNode();
  const named = async (user: string, publisher: string | undefined) => {
    const peer = testNode.peer(user);
    await peer.say({ ...hello(), ...(publisher !== undefined && { publisher }) });
    return peer;
  };
  const [welcome] = (await named("ada", undefined)).heard;
  const ada = welcome?.type === "welcome" ? welcome.client : "";
  const asBob = await named("bob", ada);
  expect(asBob.heardInShort).toEqual(["error r1 identity_changed"]);
  expect(closes(asBob)).toEqual(["close 4503 identity_changed"]);
  const again = testNode.peer("ada");
  await again.say({ ...hello({ generation: 2 }), publisher: ada } as Said);
  expect(again.heardInShort).toEqual(["welcome r1"]);
});
