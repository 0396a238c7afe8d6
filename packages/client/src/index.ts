/** @tailwire/client: real-time messaging over WebSocket, for browsers and Node. */
import { ports } from "#driver";
import { Client, type ClientOptions } from "./client.ts";

export type { AbortSignalLike, PlatformSignal, Position, Start } from "@tailwire/protocol";
export { TailwireError } from "@tailwire/protocol";
export type { Channel } from "./channel.ts";
export type { Client, ClientOptions } from "./client.ts";
export type { RequestOptions } from "./requests.ts";
export type { Subscription } from "./following/subscription.ts";
export type {
  ConnectionStatus,
  Gap,
  Page,
  Publication,
  Published,
  PublishOptions,
  ReadOptions,
  Snapshot,
  Stop,
  SubscribeOptions,
} from "./types.ts";

/**
 * Makes a client. It connects when it is first used, and again after every loss.
 *
 * @param url - `ws:` or `wss:`, with the path that the server is attached at.
 * @throws TypeError when the URL isn't a WebSocket URL.
 */
export function createClient(url: string, options: ClientOptions = {}): Client {
  if (typeof url !== "string" || !/^wss?:\/\/[^/]/.test(url)) {
    throw new TypeError(`not a WebSocket URL: ${typeof url === "string" ? url : typeof url}`);
  }
  // JavaScript says null, too.
  return new Client(url, options ?? {}, ports);
}
