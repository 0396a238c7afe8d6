/** @tailwire/client: real-time messaging over WebSocket, for browsers and Node. */
import { portsWith } from "#driver";
import { Client, type ClientOptions } from "./client.ts";
import { addressOf, DEFAULT_PATH, type Href } from "./drivers/address.ts";

export type {
  AbortSignalLike,
  ParamArgs,
  PlatformSignal,
  Position,
  Start,
} from "@tailwire/protocol";
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
  Publishing,
  PublishOptions,
  ReadOptions,
  Snapshot,
  Stop,
  SubscribeOptions,
} from "./types.ts";

/**
 * Makes a client. It connects when it is first used, and again after every loss.
 *
 * @param url - `ws:`, `wss:`, `http:` or `https:`, with the path that the server is attached at (`/tailwire`
 * where there is none); in a page also a path alone, which is `/tailwire` where nothing is given.
 * @throws TypeError when it is none; TailwireError `missing_websocket` where there is no WebSocket, as
 * on Node 20 without `ws`.
 */
export function createClient(
  url: string | Href = DEFAULT_PATH,
  options: ClientOptions = {},
): Client {
  const page = globalThis.location as Location | undefined;
  // JavaScript says null, too.
  const { WebSocket, ...rest } = options ?? {};
  return new Client(addressOf(url, page?.href), rest, portsWith(WebSocket));
}
