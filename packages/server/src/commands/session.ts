/**
 * What the server does for `hello`, `authenticate` and `ping`: who this is, and that it lives.
 *
 * Like all commands these check, act and answer; they don't know sockets or encodings.
 */
import { type Authenticate, type Hello, type Ping, tailwireError } from "@tailwire/protocol";
import type { Access } from "../access.ts";
import type { Connection } from "../connection.ts";

export function hello(connection: Connection, message: Hello): void {
  const { node, user } = connection;
  const { limits, ports } = node;
  const clientId = ports.digest(`${user.id}\n${message.session}`);
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
  node.tell(() => node.application.onConnect({ user, context, client: clientId }));
}

function expiryOf({ access }: Connection): { readonly expiresAt?: number } {
  return access.expiresAt === Infinity ? {} : { expiresAt: access.expiresAt };
}

/** A fresh token: the same user goes on, and is asked again about everything [AUTH-8]. */
export function authenticate(connection: Connection, message: Authenticate): void {
  const { node } = connection;
  node
    .authenticate(message.token)
    .then((access) => renew(connection, message, access))
    .catch((error: unknown) => connection.refuse(message.id, node.asTailwireError(error)));
}

function renew(connection: Connection, { id }: Authenticate, access: Access | null): void {
  if (access === null) return connection.refuse(id, tailwireError("unauthenticated"));
  if (access.user.id !== connection.user.id) {
    connection.refuse(id, tailwireError("identity_changed"));
    return connection.close("identity_changed");
  }
  connection.renew(access);
  connection.say({ type: "ack", re: id, ...expiryOf(connection) });
  for (const channel of connection.subscriptions.keys()) {
    access.require("subscribe", channel).catch((error: unknown) => {
      // What a token doesn't allow that isn't the last one any more means nothing.
      if (connection.access !== access) return;
      connection.endSubscription(channel, connection.node.asTailwireError(error));
    });
  }
}

export function ping(connection: Connection, message: Ping): void {
  connection.say({ type: "pong", re: message.id });
}
