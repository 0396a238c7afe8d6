/**
 * What the server does for `hello`, `authenticate` and `ping`: who this is, and that it lives.
 *
 * Like all commands these check, act and answer; they don't know sockets or encodings.
 */
import { type Authenticate, type Hello, type Ping, tailwireError } from "@tailwire/protocol";
import type { Access } from "../access.ts";
import type { Connection } from "../connection.ts";
import { inLane, REQUEST_BYTES } from "./lane.ts";

export function hello(connection: Connection, message: Hello): void {
  const { node, access } = connection;
  const { user, userId } = access;
  const { limits, ports } = node;
  const clientId = ports.digest(`${userId}\n${message.session}`);
  const { generation, overlap = false } = message;
  if (!node.sessions.enter(connection, { clientId, generation }, overlap)) return;
  connection.open({ clientId, generation });
  connection.say({
    type: "welcome",
    re: message.id,
    client: clientId,
    node: node.id,
    heartbeat: { intervalMs: limits.pingIntervalMs, timeoutMs: limits.pongTimeoutMs },
    ...expiryOf(connection),
    limits: {
      messageBytesMax: limits.messageBytesMax,
      subscriptionsMax: limits.subscriptionsMax,
      dedupeMs: limits.dedupeMs,
      appendMs: limits.appendMs,
    },
    features: [],
  });
  const { context } = connection;
  node.tell("onConnect", () => node.application.onConnect({ user, context, client: clientId }));
}

function expiryOf({ access }: Connection): { readonly expiresAt?: number } {
  return access.expiresAt === Infinity ? {} : { expiresAt: access.expiresAt };
}

/** The lane of fresh tokens. No channel has this name. */
const TOKENS = " tokens";

/**
 * A fresh token: the same user goes on, and is asked again about everything [AUTH-8]. The next one is
 * looked at when all is decided, or whoever sends them fast enough would keep what is forbidden.
 */
export function authenticate(connection: Connection, message: Authenticate): void {
  const { node } = connection;
  inLane(connection, TOKENS, REQUEST_BYTES + message.token.length, async (release) => {
    try {
      await renew(connection, message, await node.authenticate(message.token));
    } catch (error) {
      connection.refuse(message.id, node.asTailwireError(error));
    }
    release();
  });
}

async function renew(
  connection: Connection,
  { id }: Authenticate,
  access: Access | null,
): Promise<void> {
  if (access === null) return connection.refuse(id, tailwireError("unauthenticated"));
  if (access.userId !== connection.access.userId) {
    connection.refuse(id, tailwireError("identity_changed"));
    return connection.close("identity_changed");
  }
  connection.renew(access);
  connection.say({ type: "ack", re: id, ...expiryOf(connection) });
  const channels = [...connection.subscriptions.keys()];
  await Promise.all(channels.map((channel) => askAgain(connection, channel)));
}

async function askAgain(connection: Connection, channel: string): Promise<void> {
  try {
    await connection.access.require("subscribe", channel);
  } catch (error) {
    connection.endSubscription(channel, connection.node.asTailwireError(error));
  }
}

export function ping(connection: Connection, message: Ping): void {
  connection.say({ type: "pong", re: message.id });
}
