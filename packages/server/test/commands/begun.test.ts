// Subscriptions that the application begins and ends for its users.
import { describe, expect, test } from "vitest";
import { TestNode, hello, publish, type Said, subscribe } from "../harness.ts";

const UNSUBSCRIBE: Said = { type: "unsubscribe", channel: "room:1" };

async function benchOf(users: readonly string[], testNode = new TestNode()) {
  const peers = [];
  for (const user of users) peers.push(await testNode.openPeer(user));
  return { testNode, peers };
}

describe("[SUB-10] a subscription that the server begins", () => {
  test("is told to all connections of the user, and to nobody else", async () => {
    const { testNode, peers } = await benchOf(["ada", "bob"]);
    const other = testNode.peer("ada");
    await other.say(hello({ session: "another-session-of-ada" }));
    other.forget();
    testNode.node.subscribe("ada", "room:1");
    await testNode.clock.settle();
    const told = [...peers, other].map((peer) => peer.heardInShort);
    expect(told).toEqual([["subscribed", "caughtup"], [], ["subscribed", "caughtup"]]);
  });

  test("delivers what is published from now on, once", async () => {
    const { testNode, peers } = await benchOf(["ada", "bob"]);
    const [ada, bob] = peers;
    await bob?.say(publish(1));
    testNode.node.subscribe("ada", "room:1");
    testNode.node.subscribe("ada", "room:1");
    await testNode.clock.settle();
    await bob?.say(publish(2));
    expect(ada?.heardInShort).toEqual(["subscribed", "caughtup", "publication 2"]);
    expect(ada?.heard[0]).toMatchObject({ channel: "room:1", position: { offset: 1 } });
  });

  test("is ended by unsubscribe, like any other", async () => {
    const { testNode, peers } = await benchOf(["ada"]);
    const [ada] = peers;
    testNode.node.subscribe("ada", "room:1");
    await testNode.clock.settle();
    await ada?.say(UNSUBSCRIBE, UNSUBSCRIBE);
    expect(ada?.heardInShort).toEqual([
      "subscribed",
      "caughtup",
      "ack r1",
      "error r2 not_subscribed",
    ]);
  });

  test("makes way for the client's own subscribe, from wherever that begins", async () => {
    const { testNode, peers } = await benchOf(["ada"]);
    const [ada] = peers;
    await ada?.say(publish(1), publish(2));
    testNode.node.subscribe("ada", "room:1");
    await testNode.clock.settle();
    ada?.forget();
    await ada?.say(subscribe(), subscribe());
    expect(ada?.heardInShort).toEqual([
      "ack r1",
      "error r2 already_subscribed",
      "publication 1",
      "publication 2",
      "caughtup",
    ]);
  });

  test("leaves alone what the client follows already", async () => {
    const { testNode, peers } = await benchOf(["ada"]);
    const [ada] = peers;
    await ada?.say(subscribe());
    ada?.forget();
    testNode.node.subscribe("ada", "room:1");
    await testNode.clock.settle();
    await ada?.say(publish(1));
    expect(ada?.heardInShort).toEqual(["ack r1", "publication 1"]);
  });

  test("counts as one of the connection's subscriptions, and doesn't begin beyond them", async () => {
    const { testNode, peers } = await benchOf(
      ["ada"],
      new TestNode({ limits: { subscriptionsMax: 1 } }),
    );
    const [ada] = peers;
    testNode.node.subscribe("ada", "room:1");
    testNode.node.subscribe("ada", "room:2");
    await testNode.clock.settle();
    expect(ada?.heardInShort).toEqual(["subscribed", "caughtup"]);
    await ada?.say(subscribe("room:3"));
    expect(ada?.heardInShort.at(-1)).toBe("error r1 limit_exceeded");
  });

  test("needs a declared channel", () => {
    const testNode = new TestNode();
    const forbidden = expect.objectContaining({ code: "forbidden" }) as Error;
    expect(() => testNode.node.subscribe("ada", "nowhere")).toThrow(forbidden);
  });

  test("comes with the state where the application keeps one", async () => {
    const channels = { "room:{id}": { snapshot: () => ({ data: "state" }) } };
    const { testNode, peers } = await benchOf(["ada"], new TestNode({ channels }));
    testNode.node.subscribe("ada", "room:1");
    await testNode.clock.settle();
    expect(peers[0]?.heardInShort).toEqual(["subscribed", "snapshot", "caughtup"]);
  });
});

test("[SUB-9] a subscription that is under way when the application ends it is ended too", async () => {
  const { testNode, peers } = await benchOf(["ada"]);
  const [ada] = peers;
  testNode.node.subscribe("ada", "room:1");
  testNode.node.unsubscribe("ada", "room:1");
  await testNode.clock.settle();
  expect(ada?.heardInShort).toEqual(["subscribed", "unsubscribed"]);
  ada?.forget();
  ada?.connection.input.receive(ada.text(subscribe("room:2")));
  testNode.node.unsubscribe("ada", "room:2");
  await testNode.clock.settle();
  expect(ada?.heardInShort).toEqual(["ack r1", "unsubscribed"]);
  expect(ada?.connection.subscriptions.size).toBe(0);
});

test("[SUB-9] a subscription that the application ends is told with `removed`, and nothing follows", async () => {
  const { testNode, peers } = await benchOf(["ada", "bob"]);
  const [ada, bob] = peers;
  await ada?.say(subscribe());
  ada?.forget();
  testNode.node.unsubscribe("ada", "room:1");
  testNode.node.unsubscribe("ada", "room:2");
  await bob?.say(publish(1));
  expect(ada?.heardInShort).toEqual(["unsubscribed"]);
  expect(ada?.heard[0]).toMatchObject({ channel: "room:1", code: "removed", retry: false });
  expect(testNode.node.channels).toBe(0);
});
