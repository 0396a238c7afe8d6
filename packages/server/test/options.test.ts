// Options whose mistakes would show as silence are refused when they are given, in words that name them.
import { createServer } from "node:http";
import { jsonCodec } from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { describe, expect, test } from "vitest";
import {
  createTailwire,
  DEFAULT_LIMITS,
  MemoryBroker,
  type TailwireOptions,
  type OpenBroker,
} from "../src/index.ts";
import { limitsOf } from "../src/limits.ts";
import { retentionOf } from "../src/log/retention.ts";

/** As JavaScript calls it: with anything. */
const make = createTailwire as (options: unknown) => ReturnType<typeof createTailwire>;

const open = { anonymous: true, channels: { lobby: {} } };
const withChannel = (options: unknown): unknown => ({ ...open, channels: { lobby: options } });
const withLimit = (limits: unknown): unknown => ({ ...open, limits });

const nothing = (): void => undefined;

describe("createTailwire refuses", () => {
  test.each<readonly [string, unknown, new () => Error, string]>([
    ["nothing", undefined, TypeError, "createTailwire is nothing"],
    ["a list of options", [open], TypeError, "createTailwire is an array"],
    ["an unknown name", { ...open, onconnect: nothing }, TypeError, "onConnect"],
    ["a misspelt authenticate", { channels: {}, authentciate: nothing }, TypeError, "authentciate"],
    ["nobody to ask", { channels: {} }, TypeError, "missing_authenticate"],
    ["anonymous: false alone", { ...open, anonymous: false }, TypeError, "missing_authenticate"],
    ["anonymous as text", { ...open, anonymous: "yes" }, TypeError, "anonymous"],
    ["both", { ...open, authenticate: nothing }, TypeError, "not both"],
    ["authenticate: null", { channels: {}, authenticate: null }, TypeError, "authenticate is null"],
    ["no channels", { anonymous: true }, TypeError, "channels is nothing"],
    [
      "a list of channels",
      { anonymous: true, channels: ["lobby"] },
      TypeError,
      "channels is an array",
    ],
    [
      "a map of channels",
      { anonymous: true, channels: new Map() },
      TypeError,
      "channels is an object",
    ],
    ["a channel of true", withChannel(true), TypeError, 'channels["lobby"] is true'],
    ["a channel of nothing", withChannel(undefined), TypeError, 'channels["lobby"] is nothing'],
    [
      "a channel that is a hook",
      withChannel(nothing),
      TypeError,
      'channels["lobby"] is a function',
    ],
    ["onpublish", withChannel({ onpublish: nothing }), TypeError, "onPublish"],
    ["onPublish as text", withChannel({ onPublish: "clean" }), TypeError, "onPublish"],
    ["snapshot as data", withChannel({ snapshot: { data: 1 } }), TypeError, "snapshot"],
    ["a retention of 10", withChannel({ retention: 10 }), TypeError, "retention"],
    ["maxAge", withChannel({ retention: { maxAge: 10 } }), TypeError, "maxAgeMs"],
    [
      "a count of NaN",
      withChannel({ retention: { count: Number.NaN } }),
      RangeError,
      "count is NaN",
    ],
    ["a count below 0", withChannel({ retention: { count: -1 } }), RangeError, "count is -1"],
    ["bytes as text", withChannel({ retention: { bytes: "5" } }), RangeError, "bytes is a text"],
    [
      "maxAgeMs: null",
      withChannel({ retention: { maxAgeMs: null } }),
      RangeError,
      "maxAgeMs is null",
    ],
    ["authorize: true", { ...open, authorize: true }, TypeError, "authorize is true"],
    ["onConnect as a list", { ...open, onConnect: [nothing] }, TypeError, "onConnect"],
    ["onDisconnect as text", { ...open, onDisconnect: "log" }, TypeError, "onDisconnect"],
    [
      "clientAddress as a header",
      { ...open, clientAddress: "x-real-ip" },
      TypeError,
      "clientAddress",
    ],
    ["requests as a function", { ...open, requests: nothing }, TypeError, "requests"],
    ["a request without function", { ...open, requests: { ask: {} } }, TypeError, "requests"],
    ["requests as a map", { ...open, requests: new Map() }, TypeError, "requests"],
    ["a logger of true", { ...open, logger: true }, TypeError, "logger"],
    ["a logger that is a function", { ...open, logger: nothing }, TypeError, "error and warn"],
    ["a broker's name", { ...open, broker: "redis" }, TypeError, "broker"],
    ["a broker instead of its opener", { ...open, broker: { close: nothing } }, TypeError, "opens"],
    ["an opener of nothing", { ...open, broker: nothing }, TypeError, "opened nothing"],
    ["a broker without log", { ...open, broker: () => ({ close: nothing }) }, TypeError, "log"],
    [
      "a broker that tells nobody its state",
      { ...open, broker: () => ({ log: nothing, close: nothing }) },
      TypeError,
      "onState",
    ],
    [
      "a broker that comes later",
      { ...open, broker: () => Promise.resolve() },
      TypeError,
      "opened",
    ],
    [
      "a broker that fails later",
      { ...open, broker: () => Promise.reject(new Error("it is away")) },
      TypeError,
      "opened",
    ],
    ["tokenInQuery: 0", { ...open, tokenInQuery: 0 }, TypeError, "tokenInQuery"],
    ["codecs by name", { ...open, codecs: ["msgpack"] }, TypeError, "codecs"],
    ["a codec by itself", { ...open, codecs: msgpackCodec }, TypeError, "codecs"],
    [
      "half a codec",
      { ...open, codecs: [{ subprotocol: "tailwire.v1.msgpack" }] },
      TypeError,
      "codecs",
    ],
    [
      "a codec of no subprotocol",
      { ...open, codecs: [{ ...msgpackCodec, subprotocol: "mine" }] },
      TypeError,
      "codecs",
    ],
    ["two codecs alike", { ...open, codecs: [msgpackCodec, msgpackCodec] }, RangeError, "msgpack"],
    ["JSON once more", { ...open, codecs: [jsonCodec] }, RangeError, "json"],
    ["limits as a list", withLimit([]), TypeError, "limits"],
    ["limits: null", withLimit(null), TypeError, "limits"],
    ["an unknown limit", withLimit({ hookMS: 1 }), TypeError, "hookMs"],
    ["a limit as text", withLimit({ hookMs: "5" }), RangeError, "hookMs is a text"],
    ["a limit of NaN", withLimit({ stallMs: Number.NaN }), RangeError, "stallMs is NaN"],
    ["a limit of 0", withLimit({ subscriptionsMax: 0 }), RangeError, "subscriptionsMax is 0"],
    ["half a subscription", withLimit({ subscriptionsMax: 1.5 }), RangeError, "an integer"],
    ["a month", withLimit({ requestMs: 30 * 86_400_000 }), RangeError, "2147483647"],
    ["4 GiB", withLimit({ messageBytesMax: 2 ** 32 }), RangeError, "2147483647"],
    ["Infinity ms", withLimit({ dedupeMs: Infinity }), RangeError, "dedupeMs is Infinity"],
    ["Infinity bytes", withLimit({ messageBytesMax: Infinity }), RangeError, "messageBytesMax"],
    ["a short memory", withLimit({ dedupeMs: 75_000 }), RangeError, "75000 ms"],
    ["slow hooks", withLimit({ hookMs: 50_000 }), RangeError, "raise dedupeMs"],
    ["a heartbeat of 10 ms", withLimit({ pingIntervalMs: 10 }), RangeError, "250"],
    [
      "origins as text",
      { ...open, allowedOrigins: "https://a.example" },
      TypeError,
      "allowedOrigins",
    ],
    [
      "an origin that is a URL",
      { ...open, allowedOrigins: [new URL("https://a.example")] },
      TypeError,
      "allowedOrigins",
    ],
  ])("%s", (_what, options, error, words) => {
    expect(() => make(options)).toThrow(error);
    expect(() => make(options)).toThrow(words);
  });
});

test("undefined counts as left out, wherever it stands", async () => {
  const limits = Object.fromEntries(Object.keys(DEFAULT_LIMITS).map((name) => [name, undefined]));
  const optional = ["authorize", "requests", "onConnect", "onDisconnect", "broker", "logger"];
  const others = ["allowedOrigins", "tokenInQuery", "codecs", "clientAddress", "authenticate"];
  const left = Object.fromEntries([...optional, ...others].map((name) => [name, undefined]));
  const lobby = { retention: { count: undefined }, onPublish: undefined, snapshot: undefined };
  const tailwire = make({ ...left, limits, anonymous: true, channels: { lobby } });
  await expect(tailwire.channel("lobby").publish("said", 1)).resolves.toBeDefined();
  expect(limitsOf(limits)).toEqual(DEFAULT_LIMITS);
  await tailwire.close();
});

test("whoever checks optional properties exactly may pass undefined", async () => {
  const maybe: boolean = Date.now() > 0;
  const options: TailwireOptions = {
    authenticate: () => ({
      user: { id: "ada" },
      expiresAt: maybe ? undefined : 1,
      capabilities: undefined,
    }),
    channels: {
      lobby: { retention: maybe ? undefined : { count: undefined }, onPublish: undefined },
    },
    limits: { hookMs: maybe ? undefined : 1 },
    allowedOrigins: undefined,
    logger: undefined,
  };
  const tailwire = createTailwire(options).attach(createServer(), { path: undefined });
  expect(tailwire.ticket({ user: { id: "ada" } }, { origin: undefined })).toHaveLength(22);
  await tailwire.close();
});

test("a retention may have no limit of one kind, and limits may be large", () => {
  expect(retentionOf("here", { maxAgeMs: Infinity, count: 2.5 })).toMatchObject({
    maxAgeMs: Infinity,
  });
  expect(limitsOf({ connectionsMax: 1e6, burstSeconds: 1.5 })).toMatchObject({ burstSeconds: 1.5 });
});

test("what is changed after it was given changes nothing", async () => {
  const channels: Record<string, object> = { lobby: {} };
  const requests: Record<string, () => number> = {};
  const tailwire = make({ anonymous: true, channels, requests });
  channels["other"] = {};
  expect(() => tailwire.channel("other")).toThrow(expect.objectContaining({ code: "forbidden" }));
  await tailwire.close();
});

test("a broker of one's own, made of what the core has, is taken", async () => {
  let dedupeMs = 0;
  const broker: OpenBroker = (host) => {
    ({ dedupeMs } = host);
    return new MemoryBroker(host);
  };
  const server = make({ ...open, broker, limits: { dedupeMs: 77_000 } });
  await expect(server.close()).resolves.toBeUndefined();
  expect(dedupeMs).toBe(77_000);
});

describe("what is published and where", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();

  test("is refused with a code where it is odd", async () => {
    const tailwire = make(open);
    const lobby = tailwire.channel("lobby");
    const code = (name: string): unknown => expect.objectContaining({ code: name });
    for (const given of [undefined, null, 7, true, ["lobby"], {}, Symbol("lobby"), proxy]) {
      expect(() => tailwire.channel(given as "lobby")).toThrow(code("bad_channel"));
      expect(() => tailwire.user("ada").subscribe(given as "lobby")).toThrow(code("bad_channel"));
      await expect(lobby.publish(given as "said", 1)).rejects.toEqual(code("bad_message"));
    }
    await tailwire.close();
  });

  test("can't be no data", async () => {
    const tailwire = make(open);
    const lobby = tailwire.channel("lobby");
    for (const data of [undefined, 1n, nothing, Symbol("data"), proxy, { toJSON: () => proxy }]) {
      await expect(lobby.publish("said", data)).rejects.toMatchObject({ code: "invalid_data" });
    }
    await tailwire.close();
  });
});
