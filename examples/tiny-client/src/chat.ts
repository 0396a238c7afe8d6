/**
 * A chat on the tiny client: what is typed is published, and what is published is printed.
 *
 *   node examples/tiny-client/dist/chat.js ws://127.0.0.1:3000/tailwire room:lobby ann
 */
import { createInterface } from "node:readline";
import { TinyClient } from "./tiny-client.ts";

const [url = "ws://127.0.0.1:3000/tailwire", channel = "room:lobby", name = "ann"] =
  process.argv.slice(2);

const client = new TinyClient(url, { token: name });
client.follow(channel, { rewind: { count: 10 } }, ({ type, data, reason, code }) => {
  if (type === "publication") console.log(JSON.stringify(data));
  else console.log(`(${type}: ${type === "gap" ? reason : code})`);
});
const input = createInterface({ input: process.stdin });
input.on("line", (text) => {
  client.publish(channel, "said", { name, text }).catch((error: unknown) => console.log(error));
});
input.on("close", () => client.close());
