/**
 * The command `publish`: in its channel's turn it asks for permission and for the application's
 * changes, then appends and answers. After each wait it looks again whether the connection stands.
 */
import {
  carriedValue,
  type Payload,
  payloadBytes,
  payloadOf,
  type Publish,
  type Repeat,
  TailwireError,
  tailwireError,
} from "@tailwire/protocol";
import type { Append, AppendRefusal, AppendResult } from "../log/broker.ts";
import { fingerprint } from "../log/fingerprint.ts";
import type { Connection } from "../connection/connection.ts";
import { REQUEST_BYTES } from "../connection/lanes.ts";
import type { Services } from "./services.ts";
import { convertGiven, Mistake } from "../support/mistake.ts";
import { DEBT_REFUSE_MS } from "../connection/rate-limit.ts";
import type { Identity } from "../connection/sessions.ts";

/** A publication on its way in. */
interface Incoming extends Publish {
  /** Which of the connection's publications it is. */
  readonly turn: number;
}

export function publish(node: Services, connection: Connection, publication: Publish): void {
  const message: Incoming = { ...publication, turn: connection.holds.next() };
  let data: Payload;
  try {
    data = payloadOf(carriedValue(message));
  } catch (error) {
    return refusePublish(connection, message, error);
  }
  const bytes = REQUEST_BYTES + payloadBytes(data);
  connection.lanes.request(message.channel, bytes, (release) =>
    publishNow(node, connection, message, data, release),
  );
}

/** Publications are checked and begun in the order in which they came, and answered as they end. */
async function publishNow(
  node: Services,
  connection: Connection,
  message: Incoming,
  data: Payload,
  release: () => void,
): Promise<void> {
  const { identity } = connection;
  try {
    // The connection is gone; the client resends on its next one, so there is nothing to answer.
    if (identity === null || !connection.isOpen) return release();
    const admitted = await admit(node, connection, message, data);
    // Meanwhile it may have gone, or one before it was refused for now.
    if (!connection.isOpen) return release();
    requireTurn(connection, message);
    // From here on the log keeps the order: what is behind a refusal is refused with it.
    connection.holds.end(message.channel, message.id);
    const sent = fingerprint(message.id, message.event, data);
    const notAfter = node.ports.clock.monotonic() + node.limits.appendMs;
    append(node, connection, identity, message, { data: admitted, fingerprint: sent, notAfter })
      .then(
        (result) => answerPublish(connection, message, result),
        (error: unknown) => refusePublish(connection, message, error),
      )
      .finally(release);
  } catch (error) {
    const refusal = node.report(error);
    if (message.repeat === undefined || refusal.retry) refusePublish(connection, message, refusal);
    else await lookUp(node, connection, message, data, refusal);
    release();
  }
}

/**
 * Answers a repeat that may not be appended any more by what the log knows of it. It may have been
 * allowed when it was sent first, and a copy of that may still be on its way [PUB-5].
 */
async function lookUp(
  node: Services,
  connection: Connection,
  message: Incoming,
  data: Payload,
  refusal: TailwireError,
): Promise<void> {
  const { identity } = connection;
  if (identity === null || !connection.isOpen) return;
  try {
    const content = { data, fingerprint: fingerprint(message.id, message.event, data) };
    const result = await append(node, connection, identity, message, {
      ...content,
      notAfter: PAST,
    });
    const isUnknown = result.kind === "refused" && UNKNOWN.has(result.code);
    if (isUnknown) refusePublish(connection, message, truthFor(message, refusal));
    else answerPublish(connection, message, result);
  } catch (error) {
    refusePublish(connection, message, truthFor(message, node.report(error)));
  }
}

/** An instant at which nothing is appended: the log only looks up whether it was [PUB-5]. */
const PAST = -1;

/** The log's answers to a repeat that it hasn't, and would append at another time. */
const UNKNOWN: ReadonlySet<AppendRefusal> = new Set(["expired", "rate_limited"]);

/** Of a repeat that is refused for good, without the log having said so, nobody knows [PUB-5]. */
function truthFor({ repeat }: Publish, refusal: TailwireError): TailwireError {
  if (repeat === undefined || refusal.retry) return refusal;
  return tailwireError("indeterminate", `now it is refused with ${refusal.code}`);
}

/** The payload to log for a publication, if anything may be logged. */
async function admit(
  node: Services,
  connection: Connection,
  message: Publish,
  data: Payload,
): Promise<Payload> {
  const { channel, event } = message;
  requireTurn(connection, message);
  if (connection.input.debtMs > DEBT_REFUSE_MS) throw tailwireError("rate_limited");
  const rule = await connection.access.require("publish", channel);
  const { onPublish } = rule;
  if (onPublish === null) return data;
  const { context } = connection;
  const { user } = connection.access;
  const params = rule.pattern.match(channel) ?? {};
  const publication = { user, context, channel, params, event, data: carriedValue(message) };
  const kept = await node.callHook("onPublish", () => onPublish(publication));
  // Its token may have ended, or changed, while the application was thinking.
  await connection.access.require("publish", channel);
  if (kept === undefined) {
    throw new Mistake("onPublish", "onPublish gave nothing: did it forget to return data?");
  }
  return convertGiven("onPublish", () => payloadOf(kept));
}

/** After a refusal that may pass, nothing overtakes what was refused [PUB-12]. @throws `held`. */
function requireTurn(connection: Connection, { channel, id }: Publish): void {
  const { holds } = connection;
  if (!holds.mustWait(channel, id)) return;
  // Only a client that sends everything anew, in order, can say what comes first now.
  if (holds.isOver(channel)) connection.close("rate_limited", "held for too long");
  throw tailwireError("held");
}

function refusePublish(connection: Connection, message: Incoming, error: unknown): void {
  const { channel, id } = message;
  const refusal = connection.node.report(error);
  // Another's refusal says nothing about the one that has to come first.
  if (refusal.retry) hold(connection, message);
  else connection.holds.end(channel, id);
  const waitMs = Math.ceil(connection.input.debtMs);
  connection.refuse(id, refusal.retry && waitMs > 0 ? after(waitMs, refusal) : refusal);
}

/** The same refusal, with how long to wait before it is tried again. */
function after(retryAfterMs: number, refusal: TailwireError): TailwireError {
  const { code, description, fault, retry } = refusal;
  return new TailwireError({ code, description, fault, retry, retryAfterMs });
}

/** From now on this one has to come first, unless another has to already. */
function hold(connection: Connection, { channel, id, turn }: Incoming): void {
  if (!connection.holds.begin(channel, id, turn)) connection.close("rate_limited");
}

function append(
  node: Services,
  connection: Connection,
  { clientId, generation }: Identity,
  message: Incoming,
  content: Pick<Append, "data" | "notAfter"> & { readonly fingerprint: number },
): Promise<AppendResult> {
  const { sequence, settled, repeat, event } = message;
  const { data, notAfter, fingerprint: sent } = content;
  const producer = { id: clientId, generation, sequence, settled, fingerprint: sent };
  const channel = node.channel(message.channel);
  return channel.use(() =>
    channel.log.append(
      {
        id: `${clientId}/${message.id}`,
        producer,
        publisher: clientId,
        event,
        data,
        notAfter,
        ...(repeat === undefined ? {} : { repeat: firstSend(repeat, connection.beganAt) }),
      },
      () => hold(connection, message),
    ),
  );
}

/** When a repeat was first sent, at the earliest: it was written after its connection began. */
function firstSend({ ageMs, epoch }: Repeat, beganAt: number): NonNullable<Append["repeat"]> {
  return { since: beganAt - ageMs, ...(epoch === undefined ? {} : { epoch }) };
}

function answerPublish(connection: Connection, message: Incoming, result: AppendResult): void {
  if (result.kind === "refused") {
    const refusal = tailwireError(result.code);
    // A fenced producer may have appended it before.
    const isSure = result.code !== "fenced";
    return refusePublish(connection, message, isSure ? refusal : truthFor(message, refusal));
  }
  if (!result.duplicate) connection.node.counters.published += 1;
  connection.say({
    type: "ack",
    re: message.id,
    position: result.position,
    ...(result.duplicate ? { duplicate: true } : {}),
  });
}
