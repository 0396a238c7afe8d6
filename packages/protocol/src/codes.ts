/**
 * Every error code, one meaning each.
 *
 * An entry says whose fault the error is, and whether the same request may succeed later. Programs
 * decide by the code; descriptions are for people. The table in PROTOCOL.md is generated from here.
 */
import { type ErrorTraits, localTraits } from "./local-codes.ts";

interface ErrorCodeEntry extends ErrorTraits {
  /** For a developer: the cause, and the remedy. */
  readonly description: string;
}

/**
 * Every error code (PROTOCOL.md, 11). Codes marked "client library" never travel: they reject a local
 * promise.
 */
export const ERROR_CODES = {
  bad_message: {
    fault: "client",
    retry: false,
    description: "The message is malformed. Compare it with PROTOCOL.md.",
  },
  bad_channel: {
    ...localTraits("bad_channel"),
    description:
      "The channel name breaks the grammar: up to 200 letters, digits and _@+=,~!.- between : and /.",
  },
  bad_position: {
    fault: "client",
    retry: false,
    description: "The position is malformed. Send back positions exactly as they were received.",
  },
  too_large: {
    ...localTraits("too_large"),
    description: "The message is larger than the limit that welcome names. Send less at once.",
  },
  invalid_data: {
    ...localTraits("invalid_data"),
    description:
      "A part of the data is neither JSON nor bytes that stand alone, or nests too deeply. Send plain data.",
  },
  unauthenticated: {
    ...localTraits("unauthenticated"),
    description: "The token is missing or was refused. Get a fresh one, then connect again.",
  },
  forbidden: {
    fault: "client",
    retry: false,
    description:
      "Not allowed here, or there is no such channel. The server's channels and authorize decide.",
  },
  not_ready: {
    fault: "client",
    retry: false,
    description: "The first message must be hello, and there is only one.",
  },
  already_subscribed: {
    fault: "client",
    retry: false,
    description: "This connection already follows the channel. Unsubscribe first.",
  },
  not_subscribed: {
    fault: "client",
    retry: false,
    description: "This connection doesn't follow the channel.",
  },
  limit_exceeded: {
    fault: "client",
    retry: false,
    description: "The connection has as many subscriptions as it may.",
  },
  id_conflict: {
    fault: "client",
    retry: false,
    description: "This id was used for another publication. Ids must never be reused.",
  },
  fenced: {
    fault: "client",
    retry: false,
    description: "A newer connection of this session has published. This one is out of date.",
  },
  overtaken: {
    fault: "client",
    retry: false,
    description: "It isn't in the log and can't get there: publications made after it are.",
  },
  rate_limited: {
    fault: "client",
    retry: true,
    description: "Too much at once. Wait, then send the same again.",
  },
  held: {
    fault: "client",
    retry: true,
    description: "An earlier publication to this channel was refused for now. Send that one first.",
  },
  unknown_request: {
    fault: "client",
    retry: false,
    description: "The application answers no request of this name.",
  },
  cancelled: {
    fault: "client",
    retry: false,
    description: "The request was taken back.",
  },
  timeout: {
    ...localTraits("timeout"),
    description: "The application didn't answer in time. What it began it may still finish.",
  },
  identity_changed: {
    fault: "client",
    retry: false,
    description: "The fresh token is another user's. Connect anew for another user.",
  },
  expired: {
    fault: "server",
    retry: true,
    description: "The append didn't start in time and certainly didn't happen. Send it again.",
  },
  unavailable: {
    fault: "server",
    retry: true,
    description: "The broker can't be reached. Nothing was done; send the same again later.",
  },
  indeterminate: {
    ...localTraits("indeterminate"),
    description: "Nobody can know any more whether this was done. Look before doing it again.",
  },
  snapshot_unavailable: {
    fault: "server",
    retry: true,
    description: "The channel's state couldn't be had as of a position that the log retains.",
  },
  removed: {
    fault: "server",
    retry: false,
    description: "The application has ended this subscription.",
  },
  internal: {
    fault: "server",
    retry: false,
    description: "The server failed. Its log says why.",
  },
  closed: {
    ...localTraits("closed"),
    description:
      "The client was closed before this was done, and stays so. Make a new one. (client library)",
  },
  outbox_full: {
    ...localTraits("outbox_full"),
    description: "Too many publications wait to be acknowledged. Slow down. (client library)",
  },
  ttl_expired: {
    ...localTraits("ttl_expired"),
    description: "It wasn't sent within its ttlMs, and won't be. (client library)",
  },
  connect_failed: {
    ...localTraits("connect_failed"),
    description: "The server can't be reached, and is tried again. (client library)",
  },
  missing_websocket: {
    ...localTraits("missing_websocket"),
    description:
      "There is no WebSocket here. On Node before 22: npm install ws, or give createClient one. (client library)",
  },
  unheard: {
    ...localTraits("unheard"),
    description:
      "A subscription has a gap or has ended, and nobody listens: use onGap and onEnd. (client library)",
  },
} as const satisfies Record<string, ErrorCodeEntry>;

/** A code of tailwire's own. An `error` may have an application's code instead [ERR-1]. */
export type ErrorCode = keyof typeof ERROR_CODES;
