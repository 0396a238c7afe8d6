/**
 * Whether a client can act on a message: it looks like a sample of its type.
 *
 * A client trusts its server's sense, so it asks for the fields it uses and their types, and for no
 * ranges; `validate.ts` has all the rules, in more words than a browser should have to load.
 */
import type { ServerMessage } from "./messages.ts";

const position = { epoch: "", offset: 0 };
const channel = "";
const placed = { channel, position };

/** The fields that each message can't do without. */
const SAMPLES: { readonly [Type in ServerMessage["type"]]: object } = {
  welcome: {
    client: "",
    heartbeat: { intervalMs: 0, timeoutMs: 0 },
    limits: { messageBytesMax: 0, dedupeMs: 0, appendMs: 0 },
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

/** What all of them have. */
const ANY = { type: "", id: "" };

/** Whether it is a message from a server that a client of this version can act on. */
export function isServerMessage(value: unknown): value is ServerMessage {
  if (!isLike(value, ANY)) return false;
  const { type } = value as ServerMessage;
  return Object.hasOwn(SAMPLES, type) && isLike(value, SAMPLES[type]);
}

/** Whether a value has what a sample has: the same fields, of the same types. */
export function isLike(value: unknown, sample: unknown): boolean {
  if (typeof value !== typeof sample || value === null) return false;
  return (
    typeof sample !== "object" ||
    Object.entries(sample as object).every(([name, field]) =>
      isLike((value as Readonly<Record<string, unknown>>)[name], field),
    )
  );
}
