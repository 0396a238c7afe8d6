/**
 * The commands `hello`, `authenticate` and `ping`: which client this is, and that it lives.
 *
 * Like all commands these check, act and answer; they don't know sockets or encodings.
 */
import { type Authenticate, type Hello, type Ping, tailwireError } from "@tailwire/protocol";
import type { Access } from "../access/access.ts";
import type { Connection } from "../connection/connection.ts";
import { REQUEST_BYTES } from "../connection/lanes.ts";
import type { Services } from "./services.ts";

export function hello(node: Services, connection: Connection, message: Hello): void {
  const { access } = connection;
  const { user, userId } = access;
  const { limits, ports } = node;
  const clientId = ports.digest(`${userId}\n${message.session}`);
  const { generation, publisher = clientId, overlap = false } = message;
  if (publisher !== clientId) {
    connection.refuse(message.id, tailwireError("identity_changed"));
    return connection.close("identity_changed");
  }
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
      window: limits.window,
    },
    features: [],
  });
  const { context } = connection;
  node.tell("onConnect", () => node.application.onConnect({ user, context, client: clientId }));
}

function expiryOf({ access }: Connection): { readonly expiresAt?: number } {
  return access.expiresAt === Infinity ? {} : { expiresAt: access.expiresAt };
}

/** Messages that judging a token counts as: checking a signature takes as long as these. */
const TOKEN_MESSAGES = 16;

/**
 * A fresh token: the same user goes on, and is asked again about everything [AUTH-8]. The next token
 * is looked at when all is decided; otherwise a client that sends them fast enough would keep what is
 * forbidden. Among waiting tokens only the newest is judged: it would replace the others at once.
 */
export function authenticate(node: Services, connection: Connection, message: Authenticate): void {
  connection.input.account(heldBy(message));
  if (connection.freshTokens !== null) connection.freshTokens.push(message);
  else void judgeAll(node, connection, [message]);
}

async function judgeAll(
  node: Services,
  connection: Connection,
  first: Authenticate[],
): Promise<void> {
  for (let waiting = first; waiting.length > 0; waiting = connection.freshTokens ?? []) {
    connection.freshTokens = [];
    const newest = waiting.at(-1) as Authenticate;
    connection.input.charge(TOKEN_MESSAGES);
    if (!connection.isOpen) break;
    try {
      const access = await node.authenticate(newest.token);
      await renew(connection, waiting, access);
    } catch (error) {
      const refusal = node.report(error);
      for (const { id } of waiting) connection.refuse(id, refusal);
    }
    for (const message of waiting) connection.input.account(-heldBy(message));
  }
  connection.freshTokens = null;
}

function heldBy({ token }: Authenticate): number {
  return REQUEST_BYTES + token.length;
}

/** All that waited are answered with what became of the newest. */
async function renew(
  connection: Connection,
  waiting: readonly Authenticate[],
  access: Access | null,
): Promise<void> {
  if (access === null) return refuseAll(connection, waiting, "unauthenticated");
  if (access.userId !== connection.access.userId) {
    refuseAll(connection, waiting, "identity_changed");
    return connection.close("identity_changed");
  }
  connection.renew(access);
  const expiry = expiryOf(connection);
  for (const { id } of waiting) connection.say({ type: "ack", re: id, ...expiry });
  const channels = connection.subscriptions.channels();
  connection.input.charge(channels.length);
  await askAgain(connection, channels);
}

function refuseAll(
  connection: Connection,
  waiting: readonly Authenticate[],
  code: "unauthenticated" | "identity_changed",
): void {
  for (const { id } of waiting) connection.refuse(id, tailwireError(code));
}

/** Asks about all subscriptions, a portion in a turn, without waiting for one answer after another. */
async function askAgain(connection: Connection, channels: readonly string[]): Promise<void> {
  const { turns } = connection.node;
  const asked: Promise<void>[] = [];
  for (const channel of channels) {
    if (!turns.begin(connection)) await turns.inLaterTurn(connection);
    if (!connection.isOpen) break;
    asked.push(askAgainAbout(connection, channel));
  }
  await Promise.all(asked);
}

async function askAgainAbout(connection: Connection, channel: string): Promise<void> {
  try {
    await connection.access.require("subscribe", channel);
  } catch (error) {
    connection.endSubscription(channel, connection.node.report(error));
  }
}

export function ping(_: Services, connection: Connection, message: Ping): void {
  connection.say({ type: "pong", re: message.id });
}
