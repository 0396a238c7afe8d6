/**
 * The command `publish`: in its channel's turn it asks for permission and for the application's
 * changes, then appends and answers. After each wait it looks again whether the connection stands; where
 * access is decided, there is no `onPublish` and the broker answers at once, it waits for nothing.
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
import type { Place } from "../access/access.ts";
import type { OnPublish } from "../application.ts";
import { andThen, type Awaitable, isPromised } from "../support/awaitable.ts";

/** A publication on its way in. */
interface Incoming {
  readonly connection: Connection;
  readonly message: Publish;
  /** Which of the connection's publications it is. */
  readonly turn: number;
  /** As it was sent. */
  readonly data: Payload;
}

export function publish(node: Services, connection: Connection, message: Publish): void {
  const turn = connection.holds.next();
  let data: Payload;
  try {
    data = payloadOf(carriedValue(message));
  } catch (error) {
    return refusePublish({ connection, message, turn }, error);
  }
  const incoming = { connection, message, turn, data };
  const bytes = REQUEST_BYTES + payloadBytes(data);
  connection.lanes.request(message.channel, bytes, (release) =>
    publishNow(node, incoming, release),
  );
}

/**
 * Publications are checked and begun in the order in which they came, and answered as they end. Where
 * nobody has to be waited for, that is at once.
 */
function publishNow(node: Services, incoming: Incoming, release: () => void): Awaitable<void> {
  // The connection is gone; the client resends on its next one, so there is nothing to answer.
  if (!incoming.connection.isOpen) return release();
  try {
    const admitted = admit(node, incoming);
    if (!isPromised(admitted)) return appendNow(node, incoming, admitted, release);
    return admitted.then(
      (data) => appendNow(node, incoming, data, release),
      (error: unknown) => refuseOrLookUp(node, incoming, error, release),
    );
  } catch (error) {
    return refuseOrLookUp(node, incoming, error, release);
  }
}

/** The payload to log for a publication, if anything may be logged. */
function admit(node: Services, incoming: Incoming): Awaitable<Payload> {
  const { connection, message, data } = incoming;
  requireTurn(incoming);
  if (connection.input.debtMs > DEBT_REFUSE_MS) throw tailwireError("rate_limited");
  return andThen(connection.access.toPublish(message.channel), ({ rule, params }) =>
    rule.onPublish === null ? data : changed(node, incoming, rule.onPublish, params),
  );
}

/** The payload that the application makes of it. */
async function changed(
  node: Services,
  { connection, message }: Incoming,
  onPublish: OnPublish,
  params: Place["params"],
): Promise<Payload> {
  const { channel, event } = message;
  const { context } = connection;
  const { user } = connection.access;
  const data = carriedValue(message);
  const publication = { user, context, channel, params: { ...params }, event, data };
  const kept = await node.callHook("onPublish", () => onPublish(publication));
  // Its token may have ended, or changed, while the application was thinking.
  await connection.access.require("publish", channel);
  if (kept === undefined) {
    throw new Mistake("onPublish", "onPublish gave nothing: did it forget to return data?");
  }
  return convertGiven("onPublish", () => payloadOf(kept));
}

/** After a refusal that may pass, nothing overtakes what was refused [PUB-12]. @throws `held`. */
function requireTurn({ connection, message: { channel, id } }: Incoming): void {
  const { holds } = connection;
  if (!holds.mustWait(channel, id)) return;
  // Only a client that sends everything anew, in order, can say what comes first now.
  if (holds.isOver(channel)) connection.close("rate_limited", "held for too long");
  throw tailwireError("held");
}

function appendNow(node: Services, incoming: Incoming, data: Payload, release: () => void): void {
  const { connection, message } = incoming;
  // Meanwhile it may have gone, or one before it was refused for now.
  if (!connection.isOpen) return release();
  try {
    requireTurn(incoming);
    // From here on the log keeps the order: what is behind a refusal is refused with it.
    connection.holds.end(message.channel, message.id);
    const notAfter = node.ports.clock.monotonic() + node.limits.appendMs;
    const result = append(node, incoming, data, notAfter);
    if (isPromised(result)) {
      void result
        .then(
          (late) => answerPublish(incoming, late),
          (error: unknown) => refusePublish(incoming, error),
        )
        .finally(release);
      return;
    }
    answerPublish(incoming, result);
  } catch (error) {
    refusePublish(incoming, error);
  }
  release();
}

/** Refuses a publication that isn't admitted; a repeat is looked up before it is refused for good. */
function refuseOrLookUp(
  node: Services,
  incoming: Incoming,
  error: unknown,
  release: () => void,
): Awaitable<void> {
  const refusal = node.report(error);
  if (incoming.message.repeat !== undefined && !refusal.retry) {
    return lookUp(node, incoming, refusal).finally(release);
  }
  refusePublish(incoming, refusal);
  release();
}

/**
 * Answers a repeat that may not be appended any more by what the log knows of it. It may have been
 * allowed when it was sent first, and a copy of that may still be on its way [PUB-5].
 */
async function lookUp(node: Services, incoming: Incoming, refusal: TailwireError): Promise<void> {
  const { connection, message, data } = incoming;
  if (!connection.isOpen) return;
  try {
    const result = await append(node, incoming, data, PAST);
    const isUnknown = result.kind === "refused" && UNKNOWN.has(result.code);
    if (isUnknown) refusePublish(incoming, truthFor(message, refusal));
    else answerPublish(incoming, result);
  } catch (error) {
    refusePublish(incoming, truthFor(message, node.report(error)));
  }
}

/** An instant at which nothing is appended: the log only looks up whether it was [PUB-5]. */
const PAST = -1;

/** The log's answers to a repeat that it hasn't, and would append at another time. */
const UNKNOWN: ReadonlySet<AppendRefusal> = new Set(["expired", "rate_limited"]);

/** A repeat that is refused for good, and not by the log, may be in the log all the same [PUB-5]. */
function truthFor({ repeat }: Publish, refusal: TailwireError): TailwireError {
  if (repeat === undefined || refusal.retry) return refusal;
  return tailwireError("indeterminate", `now it is refused with ${refusal.code}`);
}

function append(
  node: Services,
  incoming: Incoming,
  data: Payload,
  notAfter: number,
): Awaitable<AppendResult> {
  const { connection, message } = incoming;
  const { id, sequence, settled, repeat, event } = message;
  const { clientId, generation } = connection.identity as Identity;
  const channel = node.channel(message.channel);
  const entry: Append = {
    id: `${clientId}/${id}`,
    producer: {
      id: clientId,
      generation,
      sequence,
      settled,
      fingerprint: fingerprint(id, event, incoming.data),
    },
    publisher: clientId,
    event,
    data,
    notAfter,
    ...(repeat && { repeat: firstSend(repeat, connection.beganAt) }),
  };
  return channel.use(() => channel.log.append(entry, () => hold(incoming)));
}

/** When a repeat was first sent, at the earliest: it was written after its connection began. */
function firstSend({ ageMs, epoch }: Repeat, beganAt: number): NonNullable<Append["repeat"]> {
  return { since: beganAt - ageMs, ...(epoch === undefined ? {} : { epoch }) };
}

function answerPublish(incoming: Incoming, result: AppendResult): void {
  const { connection, message } = incoming;
  if (result.kind === "refused") {
    const refusal = tailwireError(result.code);
    // A fenced producer may have appended it before.
    const isSure = result.code !== "fenced";
    return refusePublish(incoming, isSure ? refusal : truthFor(message, refusal));
  }
  const { position, duplicate } = result;
  if (!duplicate) connection.node.counters.published += 1;
  connection.say({ type: "ack", re: message.id, position, ...(duplicate && { duplicate }) });
}

/** A publication that is refused. One whose data are malformed has none. */
type Refused = Omit<Incoming, "data">;

function refusePublish(refused: Refused, error: unknown): void {
  const { connection, message } = refused;
  const { channel, id } = message;
  const refusal = connection.node.report(error);
  // Another's refusal says nothing about the one that has to come first.
  if (refusal.retry) hold(refused);
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
function hold({ connection, message: { channel, id }, turn }: Refused): void {
  if (!connection.holds.begin(channel, id, turn)) connection.close("rate_limited");
}
