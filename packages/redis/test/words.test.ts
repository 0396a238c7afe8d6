// Faults that a person has to mend are told in words: in the log, once, and never with a password.
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { JsonText } from "@tailwire/protocol";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { redisBroker } from "../src/index.ts";
import type { RedisBrokerOptions } from "../src/settings.ts";
import { unfitness } from "../src/words.ts";
import { connected, openBroker } from "./host.ts";
import { RedisServer, until, withServers } from "./server.ts";

const ENTRY = {
  id: "a",
  producer: null,
  publisher: null,
  event: "said",
  data: JsonText.of("a"),
};
const RETENTION = { count: 10, bytes: 10_000, maxAgeMs: 10_000 };

/** The first error that a broker logs. */
async function complaintOf(options: RedisBrokerOptions): Promise<string> {
  const errors: string[] = [];
  const { broker } = openBroker(options, errors);
  await until(() => errors.length > 0);
  const log = broker.log("room:1", RETENTION);
  await expect(log.locate("latest")).rejects.toMatchObject({ code: "unavailable" });
  await broker.close();
  return errors[0] as string;
}

describe("options", () => {
  test.each<[unknown, string]>([
    [{}, "give either a url, such as redis://localhost, or a client"],
    [{ url: "redis://a", client: createClient() }, "give either a url"],
    [{ url: "http://localhost" }, "the url has to begin with redis:// or rediss://"],
    [{ url: "redis://:pass#word@host:port" }, "the url is malformed"],
    [{ client: {} }, "client has to come from createClient"],
    [{ url: "redis://a", prefix: "{a}" }, "prefix takes letters"],
    [{ url: "redis://a", prefx: "a" }, 'has no "prefx". It takes url, client, prefix'],
    [{ url: "redis://a/name" }, "the url's path is a database's number"],
    [undefined, 'takes an object, such as { url: "redis://localhost" }'],
    ["redis://a", 'takes an object, such as { url: "redis://localhost" }'],
  ])("%o", (options, words) => {
    expect(() => redisBroker(options as RedisBrokerOptions)).toThrow(words);
  });
});

describe("INFO", () => {
  const fit =
    "redis_version:7.0.15\r\nrole:master\r\nmaster_replid:ab\r\nmaxmemory_policy:noeviction\r\n";

  test.each<[string, string, RegExp]>([
    [
      "redis_version:7.0.15",
      "redis_version:6.2.6",
      /it is Redis 6.2.6, and Redis 7 or Valkey is needed/,
    ],
    ["role:master", "role:slave", /replica. Give the address of the primary/],
    ["master_replid:ab", "", /no master_replid/],
    ["noeviction", "allkeys-lru", /maxmemory-policy is allkeys-lru.* Set it to noeviction/],
    ["role:master", "role:master\r\ncluster_enabled:1", /it is a cluster/],
  ])("with %s as %s is refused", (from, to, words) => {
    expect(unfitness(fit)).toBeNull();
    expect(unfitness(fit.replace(from, to))).toMatch(words);
  });
});

test("where nothing listens the log says so", async () => {
  const words = await complaintOf({ url: "redis://:secret@127.0.0.1:1" });
  expect(words).toMatch(/^redis 127.0.0.1:1: nothing listens there/);
  expect(words).not.toContain("secret");
});

test("where something else listens the log says so", async () => {
  const http = createServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  expect(await complaintOf({ url: `redis://127.0.0.1:${port}` })).toMatch(
    /doesn't speak Redis's protocol/,
  );
  http.close();
});

test("reasons that take turns are each told once", async () => {
  // It answers the first connection of two with words that aren't Redis's, and hangs up on the second.
  let connections = 0;
  const odd = createTcpServer((socket) => {
    connections += 1;
    socket.on("error", () => undefined);
    socket.end(connections % 2 === 0 ? "" : "INFO\r\n");
  }).listen(0, "127.0.0.1");
  await once(odd, "listening");
  const { port } = odd.address() as AddressInfo;
  const told: string[] = [];
  const { broker } = openBroker({ url: `redis://127.0.0.1:${port}` }, told);
  await until(() => connections > 12);
  await broker.close();
  odd.close();
  expect(new Set(told).size).toBeGreaterThan(1);
  expect(told).toEqual([...new Set(told)]);
});

withServers((program) => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start(program);
    await server.command("ACL SETUSER poor on >poor ~tailwire:* &tailwire:* +@all -publish");
    await server.command("ACL SETUSER ada on >right ~tailwire:* &tailwire:* +@all");
  });
  afterAll(() => server.end());
  const at = (user: string): string => `redis://${user}@127.0.0.1:${server.port}`;

  test("a wrong password", async () => {
    const words = await complaintOf({ url: at("ada:wrong") });
    expect(words).toMatch(/it refuses the user or the password/);
    expect(words).not.toContain("wrong@");
  });

  test("a user who lacks a permission", async () => {
    expect(await complaintOf({ url: at("poor:poor") })).toMatch(/lacks a permission.*publish/i);
  });

  test("a policy that evicts, until it is mended", async () => {
    await server.command("CONFIG SET maxmemory-policy allkeys-lru");
    const errors: string[] = [];
    const { broker, up } = openBroker({ url: server.url }, errors);
    await until(() => errors.length > 0);
    expect(errors[0]).toMatch(/maxmemory-policy is allkeys-lru/);
    await server.command("CONFIG SET maxmemory-policy noeviction");
    await up;
    expect(errors).toHaveLength(1);
    await broker.close();
  });

  test("the settings of a client are used, and it is left alone", async () => {
    const client = createClient({ url: at("ada:right") });
    const broker = await connected({ client, prefix: "tailwire:other" });
    await broker.log("room:1", RETENTION).locate("latest");
    await broker.close();
    expect(client.isOpen).toBe(false);
    await client.connect();
    expect(await client.exists("tailwire:other:{room%3A1}:m")).toBe(1);
    client.destroy();
  });

  test("a full server is unavailable, and takes appends again when it has room", async () => {
    const broker = await connected({ url: server.url });
    const log = broker.log("room:1", RETENTION);
    await log.locate("latest");
    await server.command("CONFIG SET maxmemory 1");
    await expect(log.locate("latest")).rejects.toMatchObject({ code: "unavailable" });
    const append = log.append([{ ...ENTRY, notAfter: performance.now() + 60_000 }]);
    await expect(append).rejects.toMatchObject({ code: "unavailable" });
    await server.command("CONFIG SET maxmemory 0");
    await log.locate("latest");
    await broker.close();
  });
});
