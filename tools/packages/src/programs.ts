/** Programs that a new user would write, as text: they publish, follow, and print what came. */

/** The body of a program with a server and a client, after its imports. */
const ROUND_TRIP = `
  const web = createServer();
  const tailwire = createTailwire({
    authenticate: (_request, token) => (token === "ada" ? { user: { id: token } } : null),
    channels: { "room:{id}": {} },
  }).attach(web);
  await new Promise((resolve) => web.listen(0, "127.0.0.1", resolve));
  const url = "ws://127.0.0.1:" + web.address().port + "/tailwire";
  const client = createClient(url, { getToken: () => "ada", ...options });
  const room = client.channel("room:{id}", { id: "7" });
  await room.publish("message", { text: "hello" });
  for await (const { event, data } of room.subscribe({ start: "earliest" })) {
    console.log(event, data.text);
    break;
  }
  await client.close();
  await tailwire.close();
  web.close();
`;

export const SAID = "message hello\n";

function esm(server: string, client: string): string {
  return `import { createServer } from "node:http";
import { createTailwire } from "${server}";
import { createClient } from "${client}";
const options = {};
${ROUND_TRIP}`;
}

function commonJs(server: string, client: string): string {
  return `const { createServer } = require("node:http");
const { createTailwire } = require("${server}");
const { createClient } = require("${client}");
const options = {};
(async () => {${ROUND_TRIP}})();
`;
}

/** By the names of their files. */
export const ROUND_TRIPS = {
  "all.mjs": esm("tailwire", "tailwire/client"),
  "all.cjs": commonJs("tailwire", "tailwire/client"),
  "parts.mjs": esm("@tailwire/server", "@tailwire/client"),
  "parts.cjs": commonJs("@tailwire/server", "@tailwire/client"),
} as const;

/** Speaks MessagePack, from the one package. */
export const MSGPACK = ROUND_TRIPS["all.mjs"]
  .replace(
    "const options = {};",
    'import { msgpackCodec } from "tailwire/msgpack";\nconst options = { codec: msgpackCodec };',
  )
  .replace("channels: {", "codecs: [msgpackCodec],\n    channels: {");

/** A client's part alone, for bundlers: it talks to the server that `TAILWIRE_URL` names. */
export const CLIENT = `import { createClient } from "tailwire/client";
const client = createClient(process.env.TAILWIRE_URL, { getToken: () => "ada" });
const room = client.channel("room:{id}", { id: "bundle-" + Date.now() });
const subscription = room.subscribe({ start: "earliest" });
room.publish("message", { text: "hello" });
subscription.on("message", ({ event, data }) => {
  console.log(event, data.text);
  client.close();
});
`;

/** Runs a bundle that was made for pages: Node 20 lacks their WebSocket. */
export const PAGE_RUNNER = `import { WebSocket } from "ws";
globalThis.WebSocket ??= WebSocket;
await import(new URL(process.argv[2], import.meta.url));
`;

/** A strict program in TypeScript, checked as an application's: declarations of packages too. */
export const TYPED = `import { createServer } from "node:http";
import { createTailwire, type ServerChannel, type TailwireOptions, TailwireError } from "tailwire";
import { type Client, createClient, type Publication } from "tailwire/client";
import { msgpackCodec } from "tailwire/msgpack";
import { type Standalone, startStandalone } from "tailwire/standalone";
import * as served from "@tailwire/server";
import * as used from "@tailwire/client";

interface Member { readonly id: string; readonly admin: boolean }

const options: TailwireOptions<Member> = {
  authenticate: async (_request, token) =>
    token === null ? null : { user: { id: token, admin: token === "ada" } },
  authorize: ({ user, action }) => action === "subscribe" || user.admin,
  channels: { "room:{id}": { onPublish: ({ data, user }) => ({ data, by: user.id }) } },
  codecs: [msgpackCodec],
};
const tailwire = createTailwire(options).attach(createServer());
const channel: ServerChannel = tailwire.channel("room:{id}", { id: "7" });
const client: Client = createClient("ws://127.0.0.1:3000/tailwire", { codec: msgpackCodec });
// @ts-expect-error the pattern has a param
client.channel("room:{id}");
const seen: Publication[] = [];
client.channel("room:{id}", { id: "7" }).subscribe().on("message", (each) => void seen.push(each));
const same: [typeof served.createTailwire, typeof used.createClient] = [createTailwire, createClient];
const standalone: Promise<Standalone> = startStandalone({ port: 0 });
export const all = [channel, same, standalone, TailwireError];
`;
