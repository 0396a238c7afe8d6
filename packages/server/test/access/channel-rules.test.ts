// Channel rules: which channels exist, and how much of their logs is kept.
import { describe, expect, test } from "vitest";
import { ChannelRules, DEFAULT_RETENTION } from "@tailwire/server/core";
import { TestNode, publish, subscribe } from "../harness.ts";

describe("a rule", () => {
  test("is found for every name that its pattern matches, and for no other", () => {
    const rules = new ChannelRules({ lobby: {}, "room:{id}": {}, "org:{org}/doc:{doc}": {} });
    const found = (name: string) => rules.find(name)?.pattern.pattern ?? null;
    expect(found("lobby")).toBe("lobby");
    expect(found("room:1")).toBe("room:{id}");
    expect(found("org:a/doc:b")).toBe("org:{org}/doc:{doc}");
    for (const name of ["lobby2", "Lobby", "room", "room:1:2", "room/1", "org:a", ""]) {
      expect(found(name)).toBeNull();
    }
  });

  test("has the default retention where it says nothing, and what it says elsewhere", () => {
    const rules = new ChannelRules({ a: {}, b: { retention: { count: 5 } } });
    expect(rules.find("a")?.retention).toEqual(DEFAULT_RETENTION);
    expect(rules.find("b")?.retention).toEqual({ ...DEFAULT_RETENTION, count: 5 });
  });

  test("isn't found under names that objects have", () => {
    const rules = new ChannelRules({ lobby: {} });
    for (const name of ["__proto__", "constructor", "toString"])
      expect(rules.find(name)).toBeNull();
  });

  test("may be declared for such a name", () => {
    expect(new ChannelRules({ constructor: {} }).find("constructor")).not.toBeNull();
  });
});

describe("a declaration", () => {
  test.each([
    ["room:{id}", "room:lobby"],
    ["{a}:x", "y:{b}"],
    ["{a}", "{b}"],
  ])("of %s beside %s is refused, naming both", (one, two) => {
    const declare = () => new ChannelRules({ [one]: {}, other: {}, [two]: {} });
    expect(declare).toThrow(RangeError);
    expect(declare).toThrow(/match the same names/);
  });

  test.each(["room:{id", "room:{}", "room:{id}{x}", "a b", "", "a:", "{x}:{x}", "..", "a:."])(
    "of %j is refused as malformed",
    (pattern) => {
      expect(() => new ChannelRules({ [pattern]: {} })).toThrow(RangeError);
    },
  );

  test("of patterns of other length or other separators stands", () => {
    const patterns = { "a:{x}": {}, "a/{x}": {}, "a:{x}:{y}": {}, "b:{x}": {} };
    expect(new ChannelRules(patterns).find("a/1")?.pattern.pattern).toBe("a/{x}");
  });
});

test("[AUTH-7] a channel that nothing declared is answered with forbidden, to every request", async () => {
  const testNode = new TestNode();
  const peer = await testNode.openPeer();
  await peer.say(subscribe("secret"), publish(1, "secret"));
  expect(peer.heardInShort).toEqual(["error r1 forbidden", "error r2 forbidden"]);
  await expect(testNode.node.publish("secret", "said", 1)).rejects.toMatchObject({
    code: "forbidden",
  });
  expect(testNode.node.channels).toBe(0);
});
