/**
 * The shape of every message, as tables. `shapes.ts` checks values by them, `validate.ts` names the
 * place that doesn't fit.
 *
 * TypeScript checks that each table has exactly the fields of its message in `messages.ts`.
 */
import type { ErrorCode } from "./codes.ts";
import { EVENT_NAME } from "./channel-name.ts";
import * as PROTOCOL_LIMITS from "./limits.ts";
import type { ClientMessage, ServerMessage } from "./messages.ts";

/** The rule for a field's value. `min` and `max` are inclusive: characters of a text, elements of a list. */
export type Field =
  | {
      readonly kind: "text";
      readonly min?: number;
      readonly max: number;
      readonly pattern?: RegExp;
    }
  | { readonly kind: "integer"; readonly min: number; readonly max: number }
  | { readonly kind: "boolean" }
  | { readonly kind: "channel" }
  /** Any JSON value, never looked into [ENC-6]. */
  | { readonly kind: "data" }
  /** A Uint8Array. An object that may have `bytes` has either `bytes` or `data` [ENC-9]. */
  | { readonly kind: "bytes" }
  | { readonly kind: "choice"; readonly values: readonly string[] }
  | { readonly kind: "list"; readonly max: number; readonly of: Field }
  | { readonly kind: "object"; readonly fields: Fields; readonly code?: ErrorCode }
  | { readonly kind: "nullable"; readonly of: Field }
  | { readonly kind: "optional"; readonly of: Field }
  /** One of several: `text` for a value that is no object, else the first key that the object has. */
  | {
      readonly kind: "either";
      readonly text: Field | null;
      readonly byKey: readonly (readonly [key: string, field: Field])[];
    };

/** The fields of an object by name. Unknown fields are ignored [MSG-6]. */
export type Fields = Readonly<Record<string, Field>>;

/** The fields of one message, without `type`, `id` and `timestamp`. */
export type MessageFields<Message> = {
  readonly [Name in Exclude<keyof Message, "type" | "id" | "timestamp">]-?: Field;
};

const optional = (of: Field): Field => ({ kind: "optional", of });
const text = (max: number, min = 0): Field => ({ kind: "text", min, max });
const integer = (min: number, max: number = Number.MAX_SAFE_INTEGER): Field => ({
  kind: "integer",
  min,
  max,
});

const requestId: Field = {
  kind: "text",
  max: PROTOCOL_LIMITS.idLengthMax,
  // Printable ASCII: ids stand in logs and in broker records.
  pattern: /^[!-~]+$/,
};
const anyId: Field = { kind: "text", min: 1, max: PROTOCOL_LIMITS.publicationIdLengthMax };
const event: Field = {
  kind: "text",
  max: PROTOCOL_LIMITS.eventLengthMax,
  pattern: EVENT_NAME,
};
const channel: Field = { kind: "channel" };
const epoch = text(PROTOCOL_LIMITS.epochLengthMax, 1);
const offset = integer(0);
const position: Field = {
  kind: "object",
  code: "bad_position",
  fields: { epoch, offset, id: { kind: "nullable", of: anyId } },
};

/** A payload. Both are optional here; `carriesOne` checks that exactly one is there. */
const carried = {
  data: optional({ kind: "data" }),
  bytes: optional({ kind: "bytes" }),
} as const satisfies Fields;

const entry = {
  offset: integer(1),
  event,
  publisher: { kind: "nullable", of: anyId },
  ...carried,
} as const satisfies Fields;

const lostRange = {
  reason: { kind: "choice", values: ["trimmed", "epoch", "diverged", "ahead"] },
  from: position,
  to: position,
  continuesAfter: position,
  lost: { kind: "nullable", of: offset },
} as const satisfies Fields;

const start: Field = {
  kind: "either",
  text: { kind: "choice", values: ["latest", "earliest"] },
  byKey: [
    [
      "rewind",
      {
        kind: "object",
        fields: {
          rewind: {
            kind: "either",
            text: null,
            byKey: [
              [
                "count",
                {
                  kind: "object",
                  fields: { count: integer(0, PROTOCOL_LIMITS.rewindCountMax) },
                },
              ],
              ["ageMs", { kind: "object", fields: { ageMs: integer(0) } }],
            ],
          },
        },
      },
    ],
    ["epoch", position],
  ],
};

/** The fields of every message. A client's id is stricter: it becomes part of a publication's [MSG-2]. */
export const ENVELOPE = {
  client: { id: requestId, timestamp: integer(0) },
  server: { id: anyId, timestamp: integer(0) },
} as const satisfies Record<string, Fields>;

/** The fields of clients' messages, by type (PROTOCOL.md, 6). */
export const CLIENT_MESSAGES: {
  readonly [Type in ClientMessage["type"]]: MessageFields<Extract<ClientMessage, { type: Type }>>;
} = {
  hello: {
    session: {
      kind: "text",
      min: PROTOCOL_LIMITS.sessionLengthMin,
      max: PROTOCOL_LIMITS.sessionLengthMax,
      pattern: /^[A-Za-z0-9_-]+$/,
    },
    generation: integer(1),
    client: { kind: "object", fields: { name: text(64), version: text(64) } },
    overlap: optional({ kind: "boolean" }),
  },
  authenticate: { token: text(PROTOCOL_LIMITS.tokenLengthMax, 1) },
  subscribe: { channel, start },
  unsubscribe: { channel },
  publish: {
    channel,
    event,
    ...carried,
    sequence: integer(1),
    settled: integer(0),
    repeat: optional({
      kind: "object",
      fields: { ageMs: integer(0), epoch: optional(epoch) },
    }),
  },
  read: {
    channel,
    count: integer(1, PROTOCOL_LIMITS.pageCountMax),
    after: optional(position),
    before: optional(position),
  },
  request: { name: event, data: { kind: "data" } },
  cancel: { re: requestId },
  ping: {},
  pong: { re: anyId },
};

/** The fields of the server's messages, by type (PROTOCOL.md, 6). */
export const SERVER_MESSAGES: {
  readonly [Type in ServerMessage["type"]]: MessageFields<Extract<ServerMessage, { type: Type }>>;
} = {
  welcome: {
    re: requestId,
    client: anyId,
    node: text(64),
    heartbeat: { kind: "object", fields: { intervalMs: integer(1), timeoutMs: integer(1) } },
    expiresAt: optional(integer(0)),
    limits: {
      kind: "object",
      fields: {
        messageBytesMax: integer(1),
        subscriptionsMax: integer(1),
        dedupeMs: integer(0),
        appendMs: integer(0),
        window: integer(1),
      },
    },
    features: { kind: "list", max: 64, of: text(64) },
  },
  ack: {
    re: requestId,
    position: optional(position),
    recovered: optional({ kind: "boolean" }),
    duplicate: optional({ kind: "boolean" }),
    expiresAt: optional(integer(0)),
    data: optional({ kind: "data" }),
    publications: optional({
      kind: "list",
      max: PROTOCOL_LIMITS.pageCountMax,
      of: { kind: "object", fields: { id: anyId, timestamp: integer(0), ...entry } },
    }),
    more: optional({ kind: "boolean" }),
    gap: optional({ kind: "object", fields: lostRange }),
  },
  error: {
    re: optional(requestId),
    code: text(64, 1),
    description: text(1_024),
    fault: { kind: "choice", values: ["client", "server"] },
    retry: { kind: "boolean" },
    retryAfterMs: optional(integer(0)),
  },
  publication: { channel, ...entry },
  snapshot: { channel, position, ...carried },
  epoch: { channel, position },
  gap: { channel, ...lostRange },
  caughtup: { channel, position },
  subscribed: { channel, position },
  unsubscribed: {
    channel,
    code: text(64, 1),
    description: text(1_024),
    retry: { kind: "boolean" },
  },
  ping: {},
  pong: { re: anyId },
};
