// The result of authenticate is checked once, in words that name the field, and kept as it was.
import { describe, expect, test } from "vitest";
import { Access } from "../../src/access/access.ts";
import { Admitted } from "../../src/access/admitted.ts";
import { ChannelRules } from "../../src/access/channel-rules.ts";
import { Mistake } from "../../src/support/mistake.ts";

const user = { id: "ada" };
const NOW = 1_700_000_000_000;

const by = (given: unknown): Admitted | null => Admitted.by("authenticate", given);

const boom = (): never => {
  throw new Error("boom");
};

describe("nobody", () => {
  test.each([undefined, null, false])("is who %s names", (given) => {
    expect(by(given)).toBeNull();
  });
});

const grant = (capability: unknown): unknown => ({ user, capabilities: [capability] });

describe("a mistake", () => {
  test.each<readonly [string, string, unknown]>([
    ["true", "the answer is true", true],
    ["a number", "the answer is 0", 0],
    ["text", "the answer is a text", "ada"],
    ["an empty text", "the answer is an empty text", ""],
    ["a symbol", "the answer is a symbol", Symbol("ada")],
    ["a function", "the answer is a function", () => ({ user })],
    ["an array", "the answer is an array", [{ user }]],
    ["an object without user", "user is nothing", {}],
    ["a user that is text", "user is a text", { user: "ada" }],
    ["a user that is null", "user is null", { user: null }],
    ["a user without id", "user.id is nothing", { user: {} }],
    ["an empty id", "user.id is an empty text", { user: { id: "" } }],
    ["an id that is a number", "user.id is 7", { user: { id: 7 } }],
    ["an id that is an object", "user.id is an object", { user: { id: {} } }],
    ["an id that throws", "boom", { user: Object.defineProperty({}, "id", { get: boom }) }],
    ["a user that throws", "boom", Object.defineProperty({}, "user", { get: boom })],
    ["a proxy", "boom", new Proxy({}, { get: boom })],
    ["NaN as the end", "expiresAt is NaN", { user, expiresAt: Number.NaN }],
    ["an end as text", "expiresAt is a text", { user, expiresAt: "2030-01-01" }],
    ["null as the end", "expiresAt is null", { user, expiresAt: null }],
    ["an end that is a bigint", "expiresAt is a bigint", { user, expiresAt: 10n }],
    ["a date that is none", "expiresAt is NaN", { user, expiresAt: new Date("never") }],
    ["an end in seconds", "looks like seconds", { user, expiresAt: NOW / 1_000 }],
    ["a date in seconds", "looks like seconds", { user, expiresAt: new Date(NOW / 1_000) }],
    ["an end before time", "looks like seconds", { user, expiresAt: -Infinity }],
    ["capabilities that are null", "capabilities is null", { user, capabilities: null }],
    ["capabilities that are text", "capabilities is a text", { user, capabilities: "room:1" }],
    ["a set of capabilities", "capabilities is an object", { user, capabilities: new Set() }],
    ["a capability that is text", "capabilities.0 is a text", grant("room:1")],
    ["a capability without channel", "capabilities.0.channel is nothing", grant({ actions: [] })],
    ["a wildcard", "capabilities.0.channel", grant({ channel: "room:*", actions: [] })],
    [
      "a channel with a space",
      "capabilities.0.channel",
      grant({ channel: "my room", actions: [] }),
    ],
    ["actions as text", "actions is a text", grant({ channel: "a", actions: "publish" })],
    ["no actions", "actions is nothing", grant({ channel: "a" })],
    ["an unknown action", "actions is a text", grant({ channel: "a", actions: ["Publish"] })],
    ["a hole for an action", "actions is nothing", grant({ channel: "a", actions: [undefined] })],
  ])("is %s, and says so", (_what, words, given) => {
    const attempt = (): unknown => by(given);
    expect(attempt).toThrow(Mistake);
    expect(attempt).toThrow(words);
    expect(attempt).toThrow(/^authenticate/);
  });

  test("never quotes what may be a secret", () => {
    const secret = "s3cret";
    for (const given of [secret, { user: secret }, { user: { id: [secret] } }, grant(secret)]) {
      expect(() => by(given)).not.toThrow(secret);
    }
  });
});

describe("the end of a token", () => {
  test.each<readonly [unknown, number]>([
    [undefined, Infinity],
    [Infinity, Infinity],
    [Number.MAX_VALUE, Infinity],
    [NOW, NOW],
    [NOW + 0.75, NOW],
    [new Date(NOW), NOW],
  ])("%s is %d", (expiresAt, end) => {
    expect(by({ user, expiresAt })?.expiresAt).toBe(end);
  });
});

describe("what was given", () => {
  test("may change afterwards, and changes nothing", async () => {
    const actions: ("subscribe" | "publish")[] = ["subscribe"];
    const capability = { channel: "room:1", actions };
    const given = { user: { id: "ada" }, expiresAt: NOW, capabilities: [capability] };
    const admitted = by(given) as Admitted;
    const rules = new ChannelRules({ "room:{id}": {} });
    const callHook = (): never => boom();
    const access = new Access({ rules, authorize: null, callHook }, admitted);
    given.user.id = "bob";
    given.expiresAt = Infinity;
    capability.channel = "room:2";
    actions.push("publish");
    given.capabilities.push({ channel: "room:3", actions: ["subscribe"] });
    expect([access.userId, access.expiresAt]).toEqual(["ada", NOW]);
    expect(access.require("subscribe", "room:1")).toMatchObject({
      pattern: { pattern: "room:{id}" },
    });
    for (const [action, channel] of [
      ["publish", "room:1"],
      ["subscribe", "room:2"],
      ["subscribe", "room:3"],
    ] as const) {
      const ask = (): unknown => access.require(action, channel);
      expect(ask).toThrow(expect.objectContaining({ code: "forbidden" }));
    }
  });

  test("is read once, where it is another each time", () => {
    let reads = 0;
    const who = {
      get id(): string {
        reads += 1;
        return `ada-${reads}`;
      },
    };
    const admitted = by({ user: who }) as Admitted;
    expect([admitted.userId, admitted.userId, reads]).toEqual(["ada-1", "ada-1", 1]);
    expect(admitted.user).toBe(who);
  });
});
