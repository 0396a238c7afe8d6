/** @tailwire/protocol: messages, codecs, validators, codes and limits. It does no input or output. */
import * as PROTOCOL_LIMITS from "./limits.ts";

export {
  channelName,
  ChannelPattern,
  isChannelName,
  isEventName,
  type ParamArgs,
  type ParamNames,
  type Params,
} from "./channel-name.ts";
export { toBase64 } from "./base64.ts";
export { ASSUMED_LIMITS } from "./assumed-limits.ts";
export { type Batch, type ClientCodec, type Codec, type Encoded, encodedBytes } from "./codec.ts";
export { jsonClientCodec, jsonCodec } from "./codec-json.ts";
export { CLOSE_CODES, type CloseName, type Verdict, verdictOf } from "./close-codes.ts";
export { ERROR_CODES, type ErrorCode } from "./codes.ts";
export { localError, TailwireError, tailwireError, wordsOf } from "./errors.ts";
export { depthExceeds, JsonText } from "./json-text.ts";
export { PROTOCOL_LIMITS };
export type { Fault } from "./local-codes.ts";
export type {
  Ack,
  Authenticate,
  CancelMessage,
  CaughtUp,
  ClientMessage,
  Entry,
  EpochMessage,
  ErrorMessage,
  GapMessage,
  GapReason,
  Hello,
  LostRange,
  Outgoing,
  Ping,
  Pong,
  PublicationMessage,
  Publish,
  ReadMessage,
  Repeat,
  RequestMessage,
  ServerMessage,
  SnapshotMessage,
  Subscribe,
  Subscribed,
  Unstamped,
  Unsubscribe,
  Unsubscribed,
  Welcome,
} from "./messages.ts";
export {
  carriedValue,
  carrying,
  type Payload,
  payloadBytes,
  payloadOf,
  payloadText,
} from "./payload.ts";
export type { AbortSignalLike, Cancel, Clock, PlatformSignal, Random } from "./ports.ts";
export { chain, isPosition, type Position, type Start } from "./position.ts";
export { CLIENT_MESSAGES, type Field, type Fields, SERVER_MESSAGES } from "./schema.ts";
export { isLike } from "./samples.ts";
export { fits } from "./shapes.ts";
export { utf8Length, utf8Of, utf8Truncate } from "./utf8.ts";
export {
  type Decoded,
  type Malformed,
  validateClientMessage,
  validateServerMessage,
} from "./validate.ts";
export {
  BEARER_PREFIX,
  bearerOffer,
  chooseSubprotocol,
  PROTOCOL_VERSION,
  SUBPROTOCOL_JSON,
  SUBPROTOCOL_MSGPACK,
  type Subprotocol,
} from "./version.ts";
