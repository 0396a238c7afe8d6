/**
 * What the server does for each message of a client: one function each.
 *
 * A function checks, acts through channel and log, and answers. Where it has to wait it looks
 * again afterwards whether the connection still stands. It doesn't know sockets or encodings.
 */
import {
  dataText,
  type Hello,
  isPosition,
  type JsonText,
  type Ping,
  type Position,
  type Publish,
  type Repeat,
  type Subscribe,
  tailwireError,
  type Unsubscribe,
} from "@tailwire/protocol";
import type { AppendResult } from "./brokers/contract.ts";
import type { Channel } from "./channel.ts";
import type { Connection, Identity } from "./connection.ts";
import { Cursor } from "./cursor.ts";

/** What a publication in progress holds beside its data, in bytes: a guess from above. */
const REQUEST_BYTES = 512;

export function hello(connection: Connection, message: Hello): void {
  const { node, user } = connection;
  const { limits, ports } = node;
  const clientId = ports.digest(`${user.id}\n${message.session}`);
  connection.open({ clientId, generation: message.generation });
  connection.say({
    type: "welcome",
    re: message.id,
    client: clientId,
    node: node.id,
    heartbeat: { intervalMs: limits.pingIntervalMs, timeoutMs: limits.pongTimeoutMs },
    limits: {
      messageBytesMax: limits.messageBytesMax,
      subscriptionsMax: limits.subscriptionsMax,
      dedupeMs: limits.dedupeMs,
      appendMs: limits.appendMs,
    },
    features: [],
  });
}

export function subscribe(connection: Connection, message: Subscribe): void {
  inLane(connection, message.channel, REQUEST_BYTES, async (release) => {
    await subscribeNow(connection, message);
    release();
  });
}

/**
 * Runs a request in its channel's turn. What it holds is counted from its arrival until it is
 * released, whether it waits or is carried out.
 */
function inLane(
  connection: Connection,
  channel: string,
  bytes: number,
  step: (release: () => void) => Promise<void> | void,
): void {
  connection.hold(bytes);
  connection.lanes.run(channel, () => step(() => connection.hold(-bytes)));
}

function subscribeNow(connection: Connection, message: Subscribe): Promise<void> | void {
  const { node, subscriptions } = connection;
  if (!connection.isOpen) return;
  if (node.rules.find(message.channel) === null)
    return connection.refuse(message.id, tailwireError("forbidden"));
  if (subscriptions.has(message.channel)) {
    return connection.refuse(message.id, tailwireError("already_subscribed"));
  }
  if (subscriptions.size >= node.limits.subscriptionsMax) {
    return connection.refuse(message.id, tailwireError("limit_exceeded"));
  }
  subscriptions.set(message.channel, null);
  const channel = node.channel(message.channel);
  return channel
    .use(() => start(connection, channel, message))
    .catch((error: unknown) => {
      subscriptions.delete(message.channel);
      connection.refuse(message.id, node.asTailwireError(error));
    });
}

async function start(connection: Connection, channel: Channel, message: Subscribe): Promise<void> {
  await channel.open();
  // Of a client's position, its three fields are kept and nothing else.
  const wanted = isPosition(message.start) ? positionOf(message.start) : message.start;
  const { position, recovered } = await channel.log.start(wanted);
  if (!connection.isOpen) return;
  const cursor = new Cursor(channel, connection, position);
  connection.subscriptions.set(channel.name, cursor);
  channel.join(cursor);
  connection.say({
    type: "ack",
    re: message.id,
    position,
    ...(isPosition(wanted) ? { recovered } : {}),
  });
  connection.mark(cursor);
}

export function unsubscribe(connection: Connection, message: Unsubscribe): void {
  inLane(connection, message.channel, REQUEST_BYTES, (release) => {
    release();
    const cursor = connection.subscriptions.get(message.channel);
    if (cursor === undefined || cursor === null) {
      return connection.refuse(message.id, tailwireError("not_subscribed"));
    }
    connection.subscriptions.delete(message.channel);
    cursor.close();
    connection.say({ type: "ack", re: message.id });
  });
}

function positionOf({ epoch, offset, id }: Position): Position {
  return { epoch, offset, id };
}

export function publish(connection: Connection, message: Publish): void {
  let data: JsonText;
  try {
    data = dataText(message);
  } catch (error) {
    return connection.refuse(message.id, connection.node.asTailwireError(error));
  }
  const bytes = REQUEST_BYTES + data.text.length;
  inLane(connection, message.channel, bytes, (release) => {
    publishNow(connection, message, data, release);
  });
}

/** Appends are begun in the order in which they came, and answered as they end. */
function publishNow(
  connection: Connection,
  message: Publish,
  data: JsonText,
  release: () => void,
): void {
  const { node, identity } = connection;
  // Whoever is gone sends it again, on another connection.
  if (identity === null || !connection.isOpen) return release();
  if (node.rules.find(message.channel) === null) {
    release();
    return connection.refuse(message.id, tailwireError("forbidden"));
  }
  append(connection, identity, message, data)
    .then(
      (result) => answerPublish(connection, message, result),
      (error: unknown) => connection.refuse(message.id, node.asTailwireError(error)),
    )
    .finally(release);
}

function append(
  connection: Connection,
  { clientId, generation }: Identity,
  message: Publish,
  data: JsonText,
): Promise<AppendResult> {
  const { node } = connection;
  const { repeat } = message;
  const channel = node.channel(message.channel);
  return channel.use(() =>
    channel.log.append({
      id: `${clientId}/${message.id}`,
      producer: clientId,
      generation,
      publisher: clientId,
      event: message.event,
      data,
      notAfter: node.ports.clock.now() + node.limits.appendMs,
      ...(repeat === undefined ? {} : { repeat: onArrival(repeat, connection.ageMs) }),
    }),
  );
}

/**
 * How old a repeat may be by now. It was written after its connection began, so what it was on its
 * way for is less than the connection's age.
 */
function onArrival({ ageMs, epoch }: Repeat, connectionAgeMs: number): Repeat {
  return { ageMs: ageMs + Math.ceil(connectionAgeMs), ...(epoch === undefined ? {} : { epoch }) };
}

function answerPublish(connection: Connection, message: Publish, result: AppendResult): void {
  if (result.kind === "refused") {
    return connection.refuse(message.id, tailwireError(result.code));
  }
  connection.say({
    type: "ack",
    re: message.id,
    position: result.position,
    ...(result.duplicate ? { duplicate: true } : {}),
  });
}

export function ping(connection: Connection, message: Ping): void {
  connection.say({ type: "pong", re: message.id });
}
