// Mistakes that newcomers make, and the sentence that each of them reads. A quoted sentence is a promise:
// it says what happened and what to do.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createTailwire } from "tailwire";
import { createClient } from "tailwire/client";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";

type Options = Parameters<typeof createTailwire>[0];
type Client = ReturnType<typeof createClient>;

/** As JavaScript sees it: a mistake that types would find. */
const untyped = (value: unknown): never => value as never;

interface Served {
  readonly url: string;
  /** Everything that the server has logged. */
  readonly log: readonly string[];
}

async function serve(given: object = {}): Promise<Served> {
  const log: string[] = [];
  const note = (_context: unknown, words: string): void => void log.push(words);
  const web = createServer();
  const options = {
    authenticate: (_request: unknown, token: string | null) =>
      token === "ada" ? { user: { id: token } } : null,
    channels: { "room:{id}": {} },
    logger: { debug: () => undefined, info: () => undefined, error: note, warn: note },
    ...given,
  };
  const tailwire = createTailwire(options as Options).attach(web);
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    await tailwire.close();
    web.close();
  });
  return { url: `ws://127.0.0.1:${(web.address() as AddressInfo).port}/tailwire`, log };
}

function connect(url: string, options: object = {}): Client {
  const client = createClient(url, { getToken: () => "ada", ...options });
  onTestFinished(() => {
    client.goOffline();
    return client.close();
  });
  return client;
}

async function served(given: object = {}): Promise<Client> {
  return connect((await serve(given)).url);
}

const roomOf = (client: Client) => client.channel("room:{id}", { id: "7" });

/** The text of an error, whichever way it comes. */
async function toldBy(work: () => unknown): Promise<string> {
  try {
    return `nothing: ${JSON.stringify(await work())}`;
  } catch (error) {
    return String(error);
  }
}

/** The first warning of the console that comes of it. */
function warningOf(work: () => unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const warn = vi.spyOn(console, "warn").mockImplementation((words: string) => resolve(words));
    onTestFinished(() => warn.mockRestore());
    Promise.resolve(work()).catch(reject);
  });
}

/** Follows a room by a client that doesn't wait before it tries again. */
function follow(client: Client): void {
  client.onStatus(({ retryAt }) => {
    if (retryAt !== null) client.retryNow();
  });
  roomOf(client).subscribe();
}

const REFUSED =
  "unauthenticated: The server has refused the token for good. Have getToken give a valid one, and make a new " +
  "client. (HTTP 401: The token is missing or was refused. Get a fresh one, then connect again.)";
const NO_URL = "TypeError: no WebSocket URL: ";
const GRAMMAR =
  "bad_channel: A channel's name is up to 200 letters, digits and _@+=,~!.- between : and /, and each param is " +
  "given and has neither : nor /. ";
const INVALID =
  "invalid_data: A part of the data is neither JSON nor bytes that stand alone, or nests too deeply. Send plain " +
  "data. ";
const NAME =
  "bad_message: The name of an event or a request is 1 to 64 of A-Z a-z 0-9 _ . : - without spaces. ";
const FORBIDDEN =
  "forbidden: Not allowed here, or there is no such channel. The server's channels and authorize decide.";
const INTERNAL = "internal: The server failed. Its log says why.";
const TOO_LARGE =
  "too_large: The message is larger than the limit that welcome names. Send less at once. (at most 65536 bytes)";
const CLOSED = "closed: The client was closed before this was done, and stays so. Make a new one.";
const UNHEARD = "A subscription has a gap or has ended, and nobody listens: use onGap and onEnd.";

const loop: { a?: unknown } = {};
loop.a = loop;

test.each<[string, () => unknown, string]>([
  ["an address without a scheme", () => createClient("localhost:3000"), `${NO_URL}localhost:3000`],
  ["a path, and no page", () => createClient("/tailwire"), `${NO_URL}/tailwire`],
  [
    "no authenticate",
    () => createTailwire(untyped({ channels: {} })),
    "missing_authenticate: give authenticate, or anonymous: true to let everybody in",
  ],
  [
    "no channels",
    () => createTailwire(untyped({ anonymous: true })),
    'channels is nothing, expected an object by pattern: { "room:{id}": {} }',
  ],
  [
    "a list of channels",
    () => createTailwire(untyped({ anonymous: true, channels: ["lobby"] })),
    'channels is an array, expected an object by pattern: { "room:{id}": {} }',
  ],
  [
    "an undeclared channel",
    async () => (await served()).channel("lobby").publish("a", 1),
    FORBIDDEN,
  ],
  [
    "undefined",
    async () => roomOf(await served()).publish("a", undefined),
    `${INVALID}(data: undefined)`,
  ],
  [
    "a function",
    async () => roomOf(await served()).publish("a", () => 0),
    `${INVALID}(data: Function)`,
  ],
  [
    "a BigInt",
    async () => roomOf(await served()).publish("a", { n: 1n }),
    `${INVALID}(data.n: BigInt)`,
  ],
  [
    "a Map",
    async () => roomOf(await served()).publish("a", [new Map()]),
    `${INVALID}(data[0]: Map)`,
  ],
  [
    "NaN",
    async () => roomOf(await served()).publish("a", { x: Number.NaN }),
    `${INVALID}(data.x: NaN)`,
  ],
  ["a circle", async () => roomOf(await served()).publish("a", loop), "over 64 deep"],
  [
    "bytes within data",
    async () => roomOf(await served()).publish("a", { b: new Uint8Array(1) }),
    `${INVALID}(data.b: bytes)`,
  ],
  [
    "no token, and a publish",
    async () => roomOf(connect((await serve()).url, { getToken: undefined })).publish("a", 1),
    REFUSED,
  ],
  [
    "a wrong token, and a read",
    async () => roomOf(connect((await serve()).url, { getToken: () => "eve" })).read(),
    REFUSED,
  ],
  [
    "no token, and a request",
    async () => connect((await serve()).url, { getToken: undefined }).request("add"),
    REFUSED,
  ],
  [
    "using a closed client",
    async () => {
      const client = await served();
      await client.close();
      await client.close();
      await roomOf(client).publish("a", 1);
    },
    CLOSED,
  ],
  ["an onPublish that throws", async () => publishTo({ onPublish: thrower("oops") }), INTERNAL],
  [
    "an onPublish that returns nothing",
    async () => publishTo({ onPublish: () => undefined }),
    INTERNAL,
  ],
  ["too much", async () => roomOf(await served()).publish("a", "x".repeat(70_000)), TOO_LARGE],
  ["too much to ask", async () => (await served()).request("add", "x".repeat(70_000)), TOO_LARGE],
  [
    "socket.io's own event",
    async () => roomOf(await served()).publish("chat message", 1),
    `${NAME}(name "chat message")`,
  ],
  [
    "listening to everything",
    async () =>
      roomOf(await served())
        .subscribe()
        .on("*", () => undefined),
    `${NAME}(name "*")`,
  ],
  [
    "a start that there isn't",
    async () => roomOf(await served()).subscribe({ start: untyped("now") }),
    'bad_message: start is "latest", "earliest", { rewind: { count } }, { rewind: { ageMs } } or a position.',
  ],
  [
    "a page that is too long",
    async () => roomOf(await served()).read({ limit: 5_000 }),
    "bad_message: limit is a whole number from 1 to 1,000. (limit 5000)",
  ],
  ["a name with a space", async () => named("my room"), `${GRAMMAR}("room:my room")`],
  ["a name with a letter of German", async () => named("käse"), `${GRAMMAR}("room:käse")`],
  ["an identity provider's name", async () => named("auth0|123"), `${GRAMMAR}("room:auth0|123")`],
  [
    "no params",
    async () => (await served()).channel("room:{id}", untyped(undefined)),
    `${GRAMMAR}("room:{id}")`,
  ],
])("the mistake of %s is answered with what to do", async (_mistake, work, told) => {
  expect(await toldBy(work)).toContain(told);
});

function thrower(words: string): () => never {
  return () => {
    throw new Error(words);
  };
}

async function publishTo(rules: object): Promise<unknown> {
  return roomOf(await served({ channels: { "room:{id}": rules } })).publish("a", 1);
}

async function named(id: string): Promise<unknown> {
  return (await served()).channel("room:{id}", { id });
}

const AT = String.raw` at ws://127\.0\.0\.1:\d+/tailwire`;

test.each<[string, () => Promise<void>, RegExp]>([
  [
    "a server that doesn't run",
    async () => {
      // Its port was somebody's a moment ago, and is nobody's.
      const web = createServer();
      await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
      const { port } = web.address() as AddressInfo;
      await new Promise((resolve) => web.close(resolve));
      follow(connect(`ws://127.0.0.1:${port}/tailwire`));
    },
    new RegExp(
      `connect_failed: ECONNREFUSED${AT}: .*Nothing listens at this host and port. Start the server, or mend`,
    ),
  ],
  [
    "a wrong path",
    async () => follow(connect(`${(await serve()).url}x`)),
    new RegExp(
      `connect_failed: not_found${AT}x: HTTP 404: There is no WebSocket at this path. The server has no .*Use attach's`,
    ),
  ],
  [
    "another server's port",
    async () => {
      const web = createServer((_request, response) => response.writeHead(502).end("Bad Gateway"));
      await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => void web.close());
      follow(connect(`ws://127.0.0.1:${(web.address() as AddressInfo).port}/tailwire`));
    },
    new RegExp(
      `connect_failed: http_502${AT}: HTTP 502: Bad Gateway. That isn't a tailwire server's answer`,
    ),
  ],
  [
    "an origin that isn't listed",
    async () => {
      const { url } = await serve({ allowedOrigins: ["https://example.com"] });
      follow(connect(url, { WebSocket: Elsewhere }));
    },
    new RegExp(`connect_failed: forbidden_origin${AT}: HTTP 403: .*Add it to its allowedOrigins`),
  ],
  [
    "a getToken that throws",
    async () => follow(connect((await serve()).url, { getToken: thrower("no session") })),
    new RegExp(`connect_failed: token_failed${AT}: no session. getToken threw`),
  ],
  [
    "a getToken that gives nothing",
    async () => follow(connect((await serve()).url, { getToken: () => undefined })),
    new RegExp(`connect_failed: token_failed${AT}. getToken threw, or gave no text`),
  ],
  [
    "an authenticate that throws",
    async () => follow(await served({ authenticate: thrower("no database") })),
    new RegExp(`connect_failed: unavailable${AT}: HTTP 503: .*the server's log says why`),
  ],
  [
    "an undeclared channel, followed by nothing but on()",
    async () =>
      void (await served())
        .channel("lobby")
        .subscribe()
        .on("a", () => undefined),
    new RegExp(`unheard: lobby: ${FORBIDDEN} ${UNHEARD}`),
  ],
  [
    "a refused token, and nothing but on()",
    async () => {
      const client = connect((await serve()).url, { getToken: () => "eve" });
      roomOf(client)
        .subscribe()
        .on("a", () => undefined);
    },
    new RegExp(`unheard: room:7: unauthenticated: .* ${UNHEARD}`),
  ],
  [
    "a gap that nobody listens to",
    async () => {
      const start = { epoch: "gone", offset: 3, id: "x" };
      roomOf(await served())
        .subscribe({ start })
        .on("a", () => undefined);
    },
    new RegExp(`unheard: room:7: gap epoch. ${UNHEARD}`),
  ],
])("the mistake of %s is warned of", async (_mistake, work, told) => {
  expect(await warningOf(work)).toMatch(told);
});

/** A page's socket: it sends its origin. */
class Elsewhere extends WebSocket {
  constructor(url: string, subprotocols: string[]) {
    super(url, subprotocols, { headers: { Origin: "https://elsewhere.example" } });
  }
}

test.each<[string, object, string]>([
  ["that throws", { onPublish: thrower("oops") }, "onPublish threw: oops"],
  [
    "that forgets to return",
    { onPublish: () => undefined },
    "onPublish gave nothing: did it forget to return data?",
  ],
])("an onPublish %s is logged with what it did", async (_mistake, rules, words) => {
  const { url, log } = await serve({ channels: { "room:{id}": rules } });
  await expect(roomOf(connect(url)).publish("a", 1)).rejects.toThrow(INTERNAL);
  expect(log).toEqual([words]);
});

test("a Date arrives as its text, and a forgotten await is sent all the same", async () => {
  const client = await served();
  const room = roomOf(client);
  const at = new Date(0);
  void room.publish("a", at);
  for await (const { data } of room.subscribe({ start: "earliest" })) {
    expect(data).toBe(at.toISOString());
    break;
  }
});

test("subscribing twice gives everything to both", async () => {
  const client = await served();
  const room = roomOf(client);
  await room.publish("a", 1);
  const both = await Promise.all(
    [1, 2].map(async () => {
      for await (const { data } of room.subscribe({ start: "earliest" })) return data;
      return null;
    }),
  );
  expect(both).toEqual([1, 1]);
});
