/**
 * What the server does for each message of a client: one function each.
 *
 * A function checks, acts through channel and log, and answers. Where it has to wait it looks
 * again afterwards whether the connection still stands. It doesn't know sockets or encodings.
 */
import {
  type Authenticate,
  type CancelMessage,
  dataText,
  type Hello,
  isPosition,
  JsonText,
  type Ping,
  type Position,
  type Publish,
  type Repeat,
  type RequestMessage,
  type Subscribe,
  type TailwireError,
  tailwireError,
  type Unsubscribe,
} from "@tailwire/protocol";
import type { Append, AppendResult } from "./brokers/contract.ts";
import type { Access } from "./access.ts";
import type { Channel } from "./channel.ts";
import type { Connection, Identity } from "./connection.ts";
import { Cursor } from "./cursor.ts";
import type { AbortHandle } from "./ports.ts";
import { DEBT_REFUSE_MS } from "./rate-limit.ts";
import { within } from "./within.ts";

/** What a publication in progress holds beside its data, in bytes: a guess from above. */
const REQUEST_BYTES = 512;

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

async function subscribeNow(connection: Connection, message: Subscribe): Promise<void> {
  const { node, subscriptions } = connection;
  if (!connection.isOpen) return;
  if (subscriptions.has(message.channel)) {
    return connection.refuse(message.id, tailwireError("already_subscribed"));
  }
  if (subscriptions.size >= node.limits.subscriptionsMax) {
    return connection.refuse(message.id, tailwireError("limit_exceeded"));
  }
  subscriptions.set(message.channel, null);
  try {
    await connection.access.require("subscribe", message.channel);
    const channel = node.channel(message.channel);
    await channel.use(() => start(connection, channel, message));
  } catch (error) {
    subscriptions.delete(message.channel);
    connection.refuse(message.id, node.asTailwireError(error));
  }
}

async function start(connection: Connection, channel: Channel, message: Subscribe): Promise<void> {
  await channel.open();
  // Of a client's position, its three fields are kept and nothing else.
  const wanted = isPosition(message.start) ? positionOf(message.start) : message.start;
  const { position, recovered } = await channel.log.start(wanted);
  // A fresh token may allow less than the one that was there when this began.
  await connection.access.require("subscribe", channel.name);
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
    return refusePublish(connection, message, error);
  }
  const bytes = REQUEST_BYTES + data.text.length;
  inLane(connection, message.channel, bytes, (release) =>
    publishNow(connection, message, data, release),
  );
}

/** Publications are checked and begun in the order in which they came, and answered as they end. */
async function publishNow(
  connection: Connection,
  message: Publish,
  data: JsonText,
  release: () => void,
): Promise<void> {
  const { identity } = connection;
  try {
    // Whoever is gone sends it again, on another connection.
    if (identity === null || !connection.isOpen) return release();
    const admitted = await admit(connection, message, data);
    // Meanwhile it may have gone, or one before it was refused for now.
    if (!connection.isOpen) return release();
    requireTurn(connection, message);
    // From here on the log keeps the order: what is behind a refusal is refused with it.
    connection.holds.end(message.channel, message.id);
    const content = admitted === data ? { data } : { data: admitted, sent: data };
    append(connection, identity, message, content)
      .then(
        (result) => answerPublish(connection, message, result),
        (error: unknown) => refusePublish(connection, message, error),
      )
      .finally(release);
  } catch (error) {
    refusePublish(connection, message, truthFor(message, connection.node.asTailwireError(error)));
    release();
  }
}

/**
 * What isn't allowed now may have been allowed when it was sent first, and be in the log: of a
 * repeat that is refused for good, nobody here knows [PUB-5].
 */
function truthFor({ repeat }: Publish, refusal: TailwireError): TailwireError {
  if (repeat === undefined || refusal.retry) return refusal;
  return tailwireError("indeterminate", `now it is refused with ${refusal.code}`);
}

/** What is to be logged of a publication, if anything may be. */
async function admit(connection: Connection, message: Publish, data: JsonText): Promise<JsonText> {
  const { node } = connection;
  const { channel, event } = message;
  requireTurn(connection, message);
  if (connection.debtMs > DEBT_REFUSE_MS) throw tailwireError("rate_limited");
  const rule = await connection.access.require("publish", channel);
  const { onPublish } = rule;
  if (onPublish === null) return data;
  const { user, context } = connection;
  const params = rule.pattern.match(channel) ?? {};
  const publication = { user, context, channel, params, event, data: message.data };
  const kept = await node.callHook("onPublish", () => onPublish(publication));
  // Its token may have ended, or changed, while the application was thinking.
  await connection.access.require("publish", channel);
  return textOf("onPublish", kept);
}

/** What the application gave, as text. @throws Error when it is no JSON value: its fault, not the client's. */
function textOf(who: string, value: unknown): JsonText {
  try {
    return JsonText.of(value);
  } catch (error) {
    throw new Error(`${who} gave no JSON value`, { cause: error });
  }
}

/** After a refusal that may pass, nothing overtakes what was refused [PUB-12]. @throws `held`. */
function requireTurn({ holds }: Connection, { channel, id }: Publish): void {
  if (holds.mustWait(channel, id)) throw tailwireError("held");
}

function refusePublish(connection: Connection, { channel, id }: Publish, error: unknown): void {
  const refusal = connection.node.asTailwireError(error);
  // Another's refusal says nothing about the one that has to come first.
  if (refusal.retry) hold(connection, channel, id);
  else connection.holds.end(channel, id);
  const waitMs = Math.ceil(connection.debtMs);
  connection.refuse(id, refusal.retry && waitMs > 0 ? refusal.after(waitMs) : refusal);
}

/** From now on this one has to come first, unless another has to already. */
function hold(connection: Connection, channel: string, id: string): void {
  if (!connection.holds.begin(channel, id)) connection.close("rate_limited");
}

function append(
  connection: Connection,
  { clientId, generation }: Identity,
  message: Publish,
  content: Pick<Append, "data" | "sent">,
): Promise<AppendResult> {
  const { node } = connection;
  const { repeat } = message;
  const channel = node.channel(message.channel);
  return channel.use(() =>
    channel.log.append(
      {
        id: `${clientId}/${message.id}`,
        producer: clientId,
        generation,
        publisher: clientId,
        event: message.event,
        ...content,
        notAfter: node.ports.clock.now() + node.limits.appendMs,
        ...(repeat === undefined ? {} : { repeat: onArrival(repeat, connection.ageMs) }),
      },
      () => hold(connection, message.channel, message.id),
    ),
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
    return refusePublish(connection, message, tailwireError(result.code));
  }
  connection.say({
    type: "ack",
    re: message.id,
    position: result.position,
    ...(result.duplicate ? { duplicate: true } : {}),
  });
}

/** A question to the application [REQ-1]. Its answer is the handler's, or why there is none. */
export function request(connection: Connection, message: RequestMessage): void {
  const { node, requests, user, context } = connection;
  const { id, name } = message;
  const handler = node.application.requests.get(name);
  if (handler === undefined) return connection.refuse(id, tailwireError("unknown_request"));
  if (requests.has(id)) return connection.refuse(id, tailwireError("bad_message", "id: in use"));
  const abort = node.ports.abort();
  requests.set(id, abort);
  const bytes = REQUEST_BYTES + JSON.stringify(message.data).length;
  connection.hold(bytes);
  const answer = (async () => handler(message.data, { user, context, id, signal: abort.signal }))();
  within(node.ports.clock, node.limits.requestMs, untilAborted(answer, abort), () =>
    tailwireError("timeout"),
  )
    .then((value) =>
      connection.say({ type: "ack", re: id, data: textOf("the request's handler", value ?? null) }),
    )
    .catch((error: unknown) => {
      connection.refuse(id, node.asTailwireError(error));
      // Whoever still works on it may stop.
      abort.abort(error);
    })
    .finally(() => {
      requests.delete(id);
      connection.hold(-bytes);
    });
}

/** Takes a request back: it is answered with `cancelled`, unless its answer is on its way. */
export function cancel(connection: Connection, message: CancelMessage): void {
  connection.requests.get(message.re)?.abort(tailwireError("cancelled"));
}

function untilAborted<Value>(answer: Promise<Value>, { signal }: AbortHandle): Promise<Value> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => {
      const { reason } = signal;
      reject(reason instanceof Error ? reason : tailwireError("cancelled"));
    });
    answer.then(resolve, reject);
  });
}

export function ping(connection: Connection, message: Ping): void {
  connection.say({ type: "pong", re: message.id });
}
