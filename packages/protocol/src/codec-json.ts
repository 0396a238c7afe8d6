/**
 * The JSON codec: one message per line, in WebSocket text messages [ENC-1].
 *
 * It doesn't look into a publication's data beyond what keeps parsing it safe.
 */
import type { ClientCodec, Codec, Wire } from "./codec.ts";
import { depthExceeds, JsonText } from "./json-text.ts";
import { PROTOCOL_LIMITS } from "./limits.ts";
import type { ClientMessage, Outgoing, ServerMessage } from "./messages.ts";
import {
  type Decoded,
  type Malformed,
  validateClientMessage,
  validateServerMessage,
} from "./validate.ts";
import { isServerMessage } from "./shapes.ts";
import { SUBPROTOCOL_JSON } from "./version.ts";

export const jsonCodec: Codec = {
  subprotocol: SUBPROTOCOL_JSON,
  encode: encodeJson,
  decodeClientMessages: (wire) => decodeLines(wire, validateClientMessage),
  decodeServerMessages: (wire) => decodeLines(wire, validateServerMessage),
};

/** The client's half, apart: a browser is sent no rules for what clients say. */
export const jsonClientCodec: ClientCodec = {
  subprotocol: SUBPROTOCOL_JSON,
  encode: encodeJson,
  readServerMessages: (wire) =>
    (linesOf(wire) ?? []).map(parsed).filter((value) => isServerMessage(value)),
};

/** One line, its newline included. Data that is text already is copied, not parsed again. */
function encodeJson(message: Outgoing<ClientMessage | ServerMessage>): string {
  if (!("data" in message) || message.data === undefined) return `${JSON.stringify(message)}\n`;
  const { data, ...envelope } = message;
  return `${JSON.stringify(envelope).slice(0, -1)},"data":${data.text}}\n`;
}

/** The lines of a WebSocket message; null where it is binary, or carries more than it may. */
function linesOf(wire: Wire): readonly string[] | null {
  if (typeof wire !== "string") return null;
  const lines = wire.split("\n");
  // A newline ends a line: what follows the last one is no message unless something is there.
  if (lines.at(-1) === "") lines.pop();
  return lines.length > PROTOCOL_LIMITS.batchMax ? null : lines;
}

function decodeLines<Message>(
  wire: Wire,
  validate: (value: unknown) => Decoded<Message>,
): readonly Decoded<Message>[] {
  const lines = linesOf(wire);
  if (lines === null) {
    return [refuse(`batch: expected text of at most ${PROTOCOL_LIMITS.batchMax} messages`)];
  }
  return lines.map((line) => {
    const value = parsed(line);
    return value === undefined
      ? refuse(
          `line: expected one JSON object with finite numbers, at most ${PROTOCOL_LIMITS.depthMax} deep`,
        )
      : validate(value);
  });
}

/**
 * A number that JSON can write and a double can't hold would come out as null [ENC-3]. Below 210
 * digits and 10^100 together none can: the rest is looked at closely.
 */
const MAYBE_OVERFLOW = /[eE]\+?\d{3}|\d{210}/;

/** The value of a line; undefined where it isn't JSON, or nests too deeply. */
function parsed(line: string): unknown {
  // The message itself is one level above its data.
  if (depthExceeds(line, PROTOCOL_LIMITS.depthMax + 1)) return undefined;
  try {
    return MAYBE_OVERFLOW.test(line) ? JSON.parse(line, refuseOverflow) : JSON.parse(line);
  } catch {
    return undefined;
  }
}

function refuseOverflow(_key: string, value: unknown): unknown {
  if (value === Infinity || value === -Infinity) throw new RangeError("a number overflows");
  return value;
}

function refuse(detail: string): { readonly malformed: Malformed } {
  return { malformed: { code: "bad_message", detail, re: null } };
}

/** The data of a decoded message as the text that is kept: normalised, once. */
export function dataText(message: { readonly data: unknown }): JsonText {
  return message.data instanceof JsonText ? message.data : JsonText.of(message.data);
}
