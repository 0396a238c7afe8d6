/**
 * A client's check of a server's message: it is compared with a sample of its type.
 *
 * The sample has the fields that the client uses, so only their presence and types are checked. A
 * client trusts its server for the rest; the rules of `validate.ts` are too large for a browser.
 */
import { ASSUMED_LIMITS } from "./assumed-limits.ts";
import type { ServerMessage } from "./messages.ts";

const position = { epoch: "", offset: 0 };
const channel = "";
const placed = { channel, position };

/** The fields that the client uses, by the type of message. */
const SAMPLES: { readonly [Type in ServerMessage["type"]]: object } = {
  welcome: {
    client: "",
    heartbeat: { intervalMs: 0, timeoutMs: 0 },
    limits: ASSUMED_LIMITS,
  },
  ack: { re: "" },
  error: { code: "", description: "" },
  publication: { channel, offset: 0, event: "" },
  snapshot: placed,
  epoch: placed,
  gap: { channel, from: position, to: position, continuesAfter: position },
  caughtup: placed,
  subscribed: placed,
  unsubscribed: { channel, code: "" },
  ping: {},
  pong: {},
};

/** The fields of every message. */
const ANY = { type: "", id: "" };

/** Whether a value is a server's message with all that this client uses of it. Unknown types aren't [VER-3]. */
export function isServerMessage(value: unknown): value is ServerMessage {
  if (!isLike(value, ANY)) return false;
  const { type } = value as ServerMessage;
  return Object.hasOwn(SAMPLES, type) && isLike(value, SAMPLES[type]);
}

/** Whether a value has the fields of the sample, of the same types, at every level. Others may be there. */
export function isLike(value: unknown, sample: unknown): boolean {
  if (typeof value !== typeof sample || value === null) return false;
  return (
    typeof sample !== "object" ||
    Object.entries(sample as object).every(([name, field]) =>
      isLike((value as Readonly<Record<string, unknown>>)[name], field),
    )
  );
}
