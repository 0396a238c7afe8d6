/** One command for each type of message that a client may send. */
import type { ClientMessage } from "@tailwire/protocol";
import type { Connection } from "../connection/connection.ts";
import { publish } from "./publish.ts";
import { read } from "./read.ts";
import { cancel, request } from "./request.ts";
import type { Services } from "./services.ts";
import { authenticate, hello, ping } from "./session.ts";
import { subscribe, unsubscribe } from "./subscribe.ts";

type Command<Message> = (node: Services, connection: Connection, message: Message) => void;

type Commands = {
  readonly [Type in ClientMessage["type"]]: Command<Extract<ClientMessage, { type: Type }>>;
};

const COMMANDS: Commands = {
  hello,
  authenticate,
  request,
  cancel,
  subscribe,
  unsubscribe,
  publish,
  read,
  ping,
  // It says no more than that something came, which the connection has noted already.
  pong: () => {},
};

export function carryOut(node: Services, connection: Connection, message: ClientMessage): void {
  // The token's deadline comes late on a node that stood still, or whose clock went ahead [AUTH-9].
  const endsAt = connection.access.expiresAt + node.limits.expiryGraceMs;
  if (message.type !== "authenticate" && node.ports.clock.now() >= endsAt) {
    return connection.close("token_expired");
  }
  const command = COMMANDS[message.type] as Command<ClientMessage>;
  command(node, connection, message);
}
