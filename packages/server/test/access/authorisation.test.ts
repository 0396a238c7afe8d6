// Permissions: asked once per channel and action, anew after a fresh token, and never guessed.
import { describe, expect, test } from "vitest";
import type { Authenticated, Authorize, AuthorizeQuestion } from "@tailwire/server/core";
import { TestNode, type TestNodeOptions, publish, type Said, subscribe } from "../harness.ts";

const CHANNELS = { "room:{id}": {}, "dm:{one}:{other}": {} };
const AUTHENTICATE: Said = { type: "authenticate", token: "ada" };

const never = new Promise<never>(() => undefined);

function nodeWith(authorize: Authorize | null, options: TestNodeOptions = {}): TestNode {
  const { application, ...rest } = options;
  return new TestNode({ channels: CHANNELS, application: { authorize, ...application }, ...rest });
}

describe("[AUTH-11] authorize", () => {
  test("is told who wants to do what where, with the channel's params", async () => {
    const asked: AuthorizeQuestion[] = [];
    const testNode = nodeWith((question) => asked.push(question) > 0);
    const peer = await testNode.openPeer("ada");
    await peer.say(subscribe("dm:ada:bob"), publish(1, "room:7"));
    const user = { id: "ada" };
    expect(asked).toEqual([
      {
        user,
        action: "subscribe",
        pattern: "dm:{one}:{other}",
        params: { one: "ada", other: "bob" },
        channel: "dm:ada:bob",
      },
      { user, action: "publish", pattern: "room:{id}", params: { id: "7" }, channel: "room:7" },
    ]);
  });

  test("is asked once per connection, channel and action, a no included", async () => {
    const asked: string[] = [];
    const testNode = nodeWith(({ user, action, channel }) => {
      asked.push(`${user.id} ${action} ${channel}`);
      return channel !== "room:2";
    });
    const peer = await testNode.openPeer("ada");
    for (let round = 0; round < 3; round += 1) {
      for (const channel of ["room:1", "room:2"]) {
        await peer.say(subscribe(channel), publish(round, channel));
        await peer.say({ type: "unsubscribe", channel });
      }
    }
    await (await testNode.openPeer("bob")).say(publish(1));
    expect(asked).toEqual([
      "ada subscribe room:1",
      "ada publish room:1",
      "ada subscribe room:2",
      "ada publish room:2",
      "bob publish room:1",
    ]);
  });

  test("that says no to publishing says nothing about subscribing, and the other way round", async () => {
    const testNode = nodeWith(
      ({ action, channel }) => (action === "publish") === (channel === "room:2"),
    );
    const peer = await testNode.openPeer();
    await peer.say(subscribe("room:1"));
    await peer.say(publish(1, "room:1"));
    await peer.say(subscribe("room:2"));
    await peer.say(publish(1, "room:2"));
    expect(peer.heardInShort).toEqual([
      "ack r1",
      "caughtup",
      "error r2 forbidden",
      "error r3 forbidden",
      "ack r4",
    ]);
  });

  test("may take its time: nothing is delivered or appended before, and order is kept", async () => {
    const testNode: TestNode = nodeWith(
      () => new Promise((resolve) => testNode.clock.after(1_000, () => resolve(true))),
    );
    const peer = await testNode.openPeer();
    await testNode.node.publish("room:1", "said", "before");
    await peer.say(subscribe(), publish("mine"), subscribe(), publish("mine too"));
    await testNode.clock.advance(999);
    await testNode.node.publish("room:1", "said", "meanwhile");
    expect(peer.heard).toEqual([]);
    await testNode.clock.advance(3_000);
    expect(peer.heardInShort.filter((line) => !line.startsWith("publication"))).toEqual(
      expect.arrayContaining(["ack r1", "ack r2", "error r3 already_subscribed", "ack r4"]),
    );
    const data = peer.heard.flatMap((message) => ("data" in message ? message.data : []));
    expect(data).toEqual(["before", "meanwhile", "mine", "mine too"]);
  });

  test("that throws or rejects is internal, is logged, and is asked again", async () => {
    let calls = 0;
    const testNode = nodeWith(() => {
      calls += 1;
      if (calls === 1) throw new Error("a bug");
      return calls === 2 ? Promise.reject(new Error("another")) : true;
    });
    const peer = await testNode.openPeer();
    await peer.say(subscribe());
    await peer.say(subscribe());
    await peer.say(subscribe());
    expect(peer.heardInShort).toEqual([
      "error r1 internal",
      "error r2 internal",
      "ack r3",
      "caughtup",
    ]);
    expect(JSON.stringify(peer.heard)).not.toContain("bug");
    expect(testNode.errors).toHaveLength(2);
  });

  test("that never says anything is unavailable after hookMs, and nothing was done", async () => {
    const testNode = nodeWith(() => never);
    const peer = await testNode.openPeer();
    await peer.say(subscribe("room:1"), publish(1, "room:2"));
    await testNode.clock.advance(testNode.limits.hookMs - 1);
    expect(peer.heard).toEqual([]);
    await testNode.clock.advance(1);
    expect(peer.heardInShort).toEqual(["error r1 unavailable", "error r2 unavailable"]);
    expect(peer.heard).toMatchObject([{ retry: true }, { retry: true }]);
    expect([testNode.node.channels, peer.connection.subscriptions.size]).toEqual([0, 0]);
  });

  test("whose yes comes after the connection has gone leaves nothing behind", async () => {
    let allow: (allowed: boolean) => void = () => undefined;
    const testNode = nodeWith(
      () =>
        new Promise((resolve) => {
          allow = resolve;
        }),
    );
    for (const message of [subscribe(), publish("too late")]) {
      const peer = await testNode.openPeer();
      await peer.say(message);
      peer.connection.gone();
      allow(true);
      await testNode.clock.settle();
      expect([testNode.node.channels, peer.connection.subscriptions.size]).toEqual([0, 0]);
    }
    const position = await testNode.node.publish("room:1", "said", "first");
    expect(position.offset).toBe(1);
  });
});

describe("[AUTH-11] what a token grants", () => {
  const granted = (...capabilities: NonNullable<Authenticated["capabilities"]>): Authenticated => ({
    user: { id: "ada" },
    capabilities,
  });

  test("is granted without a call of authorize, and the rest is asked", async () => {
    const asked: string[] = [];
    const testNode = nodeWith(({ action, channel }) => {
      asked.push(`${action} ${channel}`);
      return false;
    });
    const peer = await testNode.openPeer(
      granted(
        { channel: "room:{id}", actions: ["subscribe"] },
        { channel: "room:1", actions: ["publish"] },
      ),
    );
    await peer.say(subscribe("room:2"));
    await peer.say(publish(1, "room:1"));
    await peer.say(publish(1, "room:2"));
    expect(peer.heardInShort).toEqual(["ack r1", "caughtup", "ack r2", "error r3 forbidden"]);
    expect(asked).toEqual(["publish room:2"]);
  });

  test("is all there is where nobody can be asked", async () => {
    const testNode = nodeWith(null);
    const peer = await testNode.openPeer(granted({ channel: "room:1", actions: ["subscribe"] }));
    await peer.say(subscribe("room:1"));
    await peer.say(publish(1, "room:1"));
    await peer.say(subscribe("room:2"));
    const forbidden = ["error r2 forbidden", "error r3 forbidden"];
    expect(peer.heardInShort).toEqual(["ack r1", "caughtup", ...forbidden]);
    const nothing = await testNode.openPeer({ user: { id: "cleo" }, capabilities: [] });
    await nothing.say(subscribe());
    expect(nothing.heardInShort).toEqual(["error r1 forbidden"]);
    // A token that says nothing about it may do everything.
    const open = await testNode.openPeer("bob");
    await open.say(publish(1));
    expect(open.heardInShort).toEqual(["ack r1"]);
  });

  test("doesn't make a channel that isn't declared", async () => {
    const testNode = nodeWith(null);
    const peer = await testNode.openPeer(
      granted({ channel: "x:{id}", actions: ["subscribe", "publish"] }),
    );
    await peer.say(subscribe("x:1"));
    await peer.say(publish(1, "x:1"));
    expect(peer.heardInShort).toEqual(["error r1 forbidden", "error r2 forbidden"]);
  });
});

test("[AUTH-7] what doesn't exist and what isn't allowed get the same bytes", async () => {
  const testNode = nodeWith(({ channel }) => channel !== "room:1");
  const peer = await testNode.openPeer();
  const bytes: string[][] = [];
  for (const channel of ["room:1", "nowhere"]) {
    peer.forget();
    await peer.say(subscribe(channel));
    await peer.say(publish(1, channel));
    await peer.say({ type: "unsubscribe", channel });
    bytes.push(peer.socket.written.map((line) => line.replaceAll(/"s\d+"|\d{13}/g, "-")));
  }
  expect(bytes[0]).toHaveLength(3);
  expect(bytes[0]).toEqual(bytes[1]);
  expect(bytes[0]?.[0]).toContain("forbidden");
});

describe("[AUTH-12, SUB-9] after a fresh token", () => {
  test("authorize is asked anew about each subscription, and what is still allowed goes on", async () => {
    const asked: string[] = [];
    const testNode = nodeWith(({ action, channel }) => asked.push(`${action} ${channel}`) > 0);
    const peer = await testNode.openPeer();
    await peer.say(subscribe("room:1"), subscribe("room:2"), publish(1, "room:1"));
    asked.length = 0;
    peer.forget();
    await peer.say(AUTHENTICATE);
    await peer.say(publish(2, "room:1"));
    expect(asked.toSorted()).toEqual(["publish room:1", "subscribe room:1", "subscribe room:2"]);
    expect(peer.heardInShort.toSorted()).toEqual(["ack r1", "ack r2", "publication 2"]);
  });

  test("a subscription that isn't allowed any more ends with unsubscribed, and nothing follows", async () => {
    let allowed = true;
    const testNode = nodeWith(({ channel }) => allowed || channel === "room:2");
    const peer = await testNode.openPeer();
    await peer.say(subscribe("room:1"), subscribe("room:2"));
    allowed = false;
    peer.forget();
    await peer.say(AUTHENTICATE);
    expect(peer.heard).toMatchObject([
      { type: "ack", re: "r1" },
      { type: "unsubscribed", channel: "room:1", code: "forbidden" },
    ]);
    await testNode.node.publish("room:1", "said", "secret");
    await testNode.node.publish("room:2", "said", "public");
    await testNode.clock.advance(5_000);
    const channels = peer.heard.flatMap((one) => (one.type === "publication" ? one.channel : []));
    expect(channels).toEqual(["room:2"]);
    peer.forget();
    await peer.say({ type: "unsubscribe", channel: "room:1" }, subscribe("room:1"));
    expect(peer.heardInShort).toEqual(["error r1 not_subscribed", "error r2 forbidden"]);
    allowed = true;
    await peer.say(AUTHENTICATE);
    await peer.say(subscribe("room:1"));
    expect(peer.heardInShort.slice(2)).toEqual(["ack r3", "ack r4", "publication 1", "caughtup"]);
  });

  test("a subscription about which nobody can say anything ends too, with the reason", async () => {
    let decide: () => boolean | Promise<boolean> = () => true;
    const testNode = nodeWith(() => decide());
    const peer = await testNode.openPeer();
    await peer.say(subscribe());
    decide = () => never;
    await peer.say(AUTHENTICATE);
    await testNode.clock.advance(testNode.limits.hookMs);
    expect(peer.heard.at(-1)).toMatchObject({ type: "unsubscribed", code: "unavailable" });
    decide = () => true;
    await peer.say(AUTHENTICATE);
    await peer.say(subscribe());
    decide = () => {
      throw new Error("a bug");
    };
    await peer.say(AUTHENTICATE);
    expect(peer.heard.at(-1)).toMatchObject({ type: "unsubscribed", code: "internal" });
  });

  test("a subscribe in progress is decided by the fresh token", async () => {
    const answers: ((allowed: boolean) => void)[] = [];
    const testNode = nodeWith(() => new Promise((resolve) => answers.push(resolve)));
    const peer = await testNode.openPeer();
    await peer.say(subscribe());
    await peer.say(AUTHENTICATE);
    answers.shift()?.(true);
    await testNode.clock.settle();
    for (const answer of answers.splice(0)) answer(false);
    await testNode.clock.settle();
    await testNode.node.publish("room:1", "said", "secret");
    await testNode.clock.advance(1_000);
    expect(peer.heardInShort.toSorted()).toEqual(["ack r2", "error r1 forbidden"]);
  });

  test("the next one waits until everything is decided anew", async () => {
    const answers: ((allowed: boolean) => void)[] = [];
    let ask = false;
    const testNode = nodeWith(() => (ask ? new Promise((resolve) => answers.push(resolve)) : true));
    const peer = await testNode.openPeer();
    await peer.say(subscribe());
    ask = true;
    peer.forget();
    await peer.say(AUTHENTICATE, AUTHENTICATE, { type: "ping" });
    expect(peer.heardInShort).toEqual(["pong r3", "ack r1"]);
    answers[0]?.(true);
    await testNode.clock.settle();
    expect(peer.heardInShort).toEqual(["pong r3", "ack r1", "ack r2"]);
    answers[1]?.(false);
    await testNode.clock.settle();
    expect(peer.heard.at(-1)).toMatchObject({ type: "unsubscribed", code: "forbidden" });
    expect(answers).toHaveLength(2);
  });
});

describe("a channel that only the server publishes to", () => {
  const channels = { "news:{id}": { publish: "server" } } as const;
  const user = { id: "ada" };

  test.each<[string, Authorize | null, Authenticated]>([
    ["without authorize", null, { user }],
    ["with an authorize that allows everything", () => true, { user }],
    [
      "with a token that grants it",
      null,
      { user, capabilities: [{ channel: "news:1", actions: ["subscribe", "publish"] }] },
    ],
  ])("[AUTH-11] refuses clients, %s, and says so", async (_, authorize, authenticated) => {
    const testNode = nodeWith(authorize, { channels });
    const peer = await testNode.openPeer(authenticated);
    await peer.say(subscribe("news:1"), publish(1, "news:1"));
    await testNode.node.publish("news:1", "said", 1);
    await testNode.clock.settle();
    const [refusal] = peer.heard.filter(({ type }) => type === "error");
    expect(refusal).toMatchObject({
      code: "forbidden",
      description: expect.stringContaining("only the server publishes") as string,
    });
    expect(peer.heardInShort).toContain("publication 1");
  });

  test("[AUTH-7] isn't told apart from none by those who may not publish", async () => {
    const peer = await nodeWith(() => false, { channels }).openPeer();
    await peer.say(publish(1, "news:1"), publish(2, "nowhere"));
    const [one, another] = peer.heard;
    expect(one).toMatchObject({ type: "error", code: "forbidden" });
    expect(one).toEqual({ ...another, id: one?.id, re: expect.any(String) as string });
  });

  test.each(["client", true, null])("isn't declared by publish: %j", (given) => {
    const rules = () => nodeWith(null, { channels: { a: { publish: given as never } } });
    expect(rules).toThrow('expected "server", or nothing');
  });
});
