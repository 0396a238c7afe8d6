// NATS that can't be used is refused in words, and a connection that is handed in stays the application's.
import { createServer, type AddressInfo, type Server } from "node:net";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterEach, describe, expect, test } from "vitest";
import { natsBroker, type NatsBrokerOptions } from "../src/index.ts";
import { Node, until } from "./node.ts";
import { isMissing, NatsServer } from "./nats-server.ts";

const NO_ADDRESS =
  "natsBroker.servers: an address, or a list of them, such as nats://localhost:4222";

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

/** A server that says what it is, and answers nothing. */
async function pretender(info: object): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.write(
      `INFO ${JSON.stringify({ max_payload: 1_048_576, proto: 1, headers: true, ...info })}\r\n`,
    );
    socket.on("data", (data) => {
      if (String(data).includes("PING")) socket.write("PONG\r\n");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endings.push(() => server.close());
  return `nats://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The reason why a broker is down, which it gives with `unavailable` too. */
async function reasonOf(options: ConstructorParameters<typeof Node>[1]): Promise<string> {
  const node = new Node("a", options);
  endings.unshift(() => node.close());
  const failure: unknown = await node.log.locate("latest").then(
    () => null,
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ code: "unavailable" });
  const [reason = ""] = node.states;
  expect(String(failure)).toContain(reason);
  return reason;
}

describe("servers that can't be used", () => {
  test.each([
    [{ version: "2.9.9" }, "nats-server 2.9.9 isn't supported: use 2.9.10 or later"],
    [
      { version: "2.10.26", cluster: "c" },
      "nats-server 2.10.26 isn't supported in a cluster, where it may append twice: use 2.11.0 or later",
    ],
  ])("one that says %j is refused by its version", async (info, reason) => {
    expect(await reasonOf({ servers: await pretender(info) })).toBe(reason);
  });

  test("an address where nobody listens is named", async () => {
    const url = "nats://127.0.0.1:1";
    expect(await reasonOf({ servers: url })).toBe(
      `NATS at ${url} can't be used: connection refused`,
    );
  });

  test.each([
    [{}, "natsBroker takes servers, or a connection in their place"],
    [{ servers: "a", stream: "a.b" }, "natsBroker.stream: 1 to 64 letters, digits, _ and -"],
    [{ servers: "a", replicas: 2 }, "natsBroker.replicas: 1, 3 or 5"],
    [
      { servers: "a", server: "b" },
      'natsBroker has no "server". It takes servers, credentials, connection, stream, replicas',
    ],
    [undefined, 'natsBroker takes an object, such as { servers: "nats://localhost:4222" }'],
    ["nats://a", 'natsBroker takes an object, such as { servers: "nats://localhost:4222" }'],
    [{ servers: [] }, NO_ADDRESS],
    [{ servers: "http://a" }, NO_ADDRESS],
    [{ servers: "nats://" }, NO_ADDRESS],
    [{ servers: ["nats://a", "nats://b,nats://c"] }, NO_ADDRESS],
    [{ servers: "nats://a:port" }, NO_ADDRESS],
    [{ servers: "nats://a:100%@b" }, /has to be URL-encoded/],
    [{ servers: ["nats://a:b@c", "nats://d:e@f"] }, "natsBroker.servers: one user for all of them"],
    [
      { servers: "nats://a:b@c", credentials: { token: "d" } },
      "natsBroker.credentials: the address has its own",
    ],
  ])("the options %j are a mistake", (options, message) => {
    const words = message instanceof RegExp ? message : new TypeError(message);
    expect(() => natsBroker(options as NatsBrokerOptions)).toThrow(words);
  });

  test("an address with tls:// is never spoken to without it", async () => {
    const url = (await pretender({ version: "2.14.0" })).replace("nats://", "tls://");
    expect(await reasonOf({ servers: url })).toBe(
      `NATS at ${url} can't be used: server does not support 'tls'`,
    );
  });
});

describe.skipIf(isMissing)("servers and connections", () => {
  const started = async (options: Parameters<typeof NatsServer.start>[0]): Promise<NatsServer> => {
    const server = await NatsServer.start(options);
    endings.push(() => server.remove());
    return server;
  };

  test("a server without JetStream is told to be started with it", async () => {
    const { url } = await started({ hasJetStream: false });
    expect(await reasonOf({ servers: url })).toBe(
      `JetStream isn't enabled on NATS at ${url}, or for this account: start nats-server with --jetstream`,
    );
  });

  test("credentials that are refused are named, and good ones taken", async () => {
    const { url } = await started({ args: ["--user", "ada", "--pass", "secret"] });
    expect(await reasonOf({ servers: url, credentials: { user: "ada", pass: "wrong" } })).toBe(
      `NATS at ${url} refused the credentials: check those in the address, or natsBroker's option "credentials"`,
    );
    const node = new Node("a", { servers: url, credentials: { user: "ada", pass: "secret" } });
    endings.unshift(() => node.close());
    await node.append("one");
    expect(await node.ids()).toEqual(["one"]);
  });

  test("credentials in an address count, and no message has them", async () => {
    const { port, url } = await started({ args: ["--user", "ada", "--pass", "s@cret"] });
    const at = (credentials: string): string => `nats://${credentials}@127.0.0.1:${port}`;
    const reason = await reasonOf({ servers: at("ada:wrong") });
    expect(reason).toMatch(`NATS at ${url} refused the credentials`);
    expect(reason).not.toContain("wrong");
    const node = new Node("a", { servers: at("ada:s%40cret") });
    endings.unshift(() => node.close());
    await node.append("one");
    expect(await node.ids()).toEqual(["one"]);
  });

  test("a name alone in an address is a token", async () => {
    const { port } = await started({ args: ["--auth", "secret"] });
    const node = new Node("a", { servers: [`nats://secret@127.0.0.1:${port}`] });
    endings.unshift(() => node.close());
    await node.append("one");
    expect(await node.ids()).toEqual(["one"]);
  });

  test("a stream of the same name that is another's isn't touched", async () => {
    const { url } = await started({});
    const connection = await connect({ servers: url });
    endings.unshift(() => connection.close());
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: "tw", subjects: ["else.*"] });
    expect(await reasonOf({ servers: url })).toBe(
      `The stream tw isn't one of tailwire's: name another by natsBroker's option "stream"`,
    );
  });

  test("a server that comes later is found", async () => {
    const before = await started({});
    await before.kill();
    const node = new Node("a", { servers: before.url });
    endings.unshift(() => node.close());
    await until(() => node.states.length > 0);
    await started({ port: before.port });
    await node.up();
    await node.append("one");
    expect(await node.ids()).toEqual(["one"]);
  });

  test("a connection that is handed in is used, and left open", async () => {
    const { url } = await started({});
    const connection = await connect({ servers: url });
    const node = new Node("a", { connection });
    await node.append("one");
    expect(await node.ids()).toEqual(["one"]);
    await node.close();
    expect(connection.isClosed()).toBe(false);
    await expect(node.append("two")).rejects.toMatchObject({ code: "unavailable" });
    await connection.close();
  });

  test("a stream that an operator deletes is made again, and its logs have another epoch", async () => {
    const { url } = await started({});
    const node = new Node("a", { servers: url });
    endings.unshift(() => node.close());
    const [position] = await node.append("one");
    const connection = await connect({ servers: url });
    endings.unshift(() => connection.close());
    const manager = await jetstreamManager(connection);
    await manager.streams.delete("tw");
    await node.up();
    const [two] = await node.append("two");
    expect(two?.offset).toBe(1);
    expect(position && (await node.after(position))).toBe("epoch: two");
  });

  test("pushes that are lost on a link that stands are found within two seconds", async () => {
    const { url } = await started({});
    const connection = await connect({ servers: url });
    endings.unshift(() => connection.close());
    const subscribe = connection.subscribe.bind(connection);
    let loses = false;
    connection.subscribe = (subject, options) =>
      subscribe(subject, {
        ...options,
        callback: (error, message) => {
          if (!loses) void options?.callback?.(error, message);
        },
      });
    const [follower, other] = [new Node("a", { connection }), new Node("b", { servers: url })];
    endings.unshift(() => Promise.all([follower.close(), other.close()]));
    const pushed: string[] = [];
    await follower.log.tail({
      push: (_epoch, some) => void pushed.push(...some.map(({ id }) => id)),
      suspect: () => undefined,
    });
    loses = true;
    await other.append("one");
    await until(() => pushed.length === 1);
    loses = false;
    await other.append("two");
    await until(() => pushed.length === 2);
    expect(pushed).toEqual(["one", "two"]);
  });
});
