/** The codecs, fed with lines and with MessagePack, and what has to hold of what they make of it. */
import {
  type ClientMessage,
  type Codec,
  type Decoded,
  ERROR_CODES,
  jsonClientCodec,
  jsonCodec,
  type ServerMessage,
  TailwireError,
  type Encoded,
} from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { mutatedBytes, mutatedText } from "./mutate.ts";
import { outgoing } from "./outgoing.ts";
import { hold, type Input, type Target } from "./target.ts";

type Message = ClientMessage | ServerMessage;
type Decode = (codec: Codec, wire: Encoded) => readonly Decoded<Message>[];

/** Both directions. */
const DECODERS: readonly Decode[] = [
  (codec, wire) => codec.decodeClientMessages(wire),
  (codec, wire) => codec.decodeServerMessages(wire),
];

export const jsonMessages: Target = {
  name: "messages as JSON",
  share: 50,
  generate: (dice) => mutatedText(dice),
  decode: (input) => jsonCodec.decodeClientMessages(input),
  check: (input) => {
    checkDecoders(jsonCodec, input);
    const read = jsonClientCodec.readServerMessages(input);
    // A client may act on more than a judge lets through, and never on less.
    const valid = jsonCodec.decodeServerMessages(input).filter(isMessage);
    hold(read.length >= valid.length, "the client's codec leaves out what is valid");
    checkAgreement(input);
  },
};

export const packedMessages: Target = {
  name: "messages as MessagePack",
  share: 30,
  generate: (dice) => mutatedBytes(dice),
  decode: (input) => msgpackCodec.decodeClientMessages(input),
  check: (input) => {
    checkDecoders(msgpackCodec, input);
    const read = msgpackCodec.readServerMessages(input);
    const valid = msgpackCodec.decodeServerMessages(input).filter(isMessage);
    hold(read.length === valid.length, "the client's codec reads something else");
  },
};

type Valid = Decoded<Message> & { readonly message: Message };

function isMessage(decoded: Decoded<Message>): decoded is Valid {
  return "message" in decoded && decoded.message !== null;
}

function checkDecoders(codec: Codec, input: Input): void {
  for (const decode of DECODERS) {
    for (const decoded of decode(codec, input)) {
      if (isMessage(decoded)) checkRoundTrip(codec, decode, decoded.message);
      else if ("malformed" in decoded) checkRefusal(decoded.malformed);
    }
  }
}

function checkRefusal({ code, detail }: { readonly code: string; readonly detail: string }): void {
  hold(Object.hasOwn(ERROR_CODES, code), `refused with ${code}, which is no code`);
  hold(detail.length < 300, "the refusal quotes what was refused");
}

/** A valid message is the same when it has been sent, in either encoding. */
function checkRoundTrip(codec: Codec, decode: Decode, message: Message): void {
  if (!carriesOnlyItsOwn(message)) return;
  const text = jsonCodec.encode(outgoing(message));
  for (const other of new Set([codec, jsonCodec, msgpackCodec])) {
    const wire = other.encode(outgoing(message));
    // Values that only unknown fields hold may not travel: MessagePack has no lone surrogates, nor a
    // key __proto__, and carries the numbers that JSON has no word for.
    if (other !== codec && /__proto__|\\ud[89a-f]/i.test(String(text))) continue;
    const [again, ...more] = decode(other, wire);
    hold(again !== undefined && more.length === 0, `${other.subprotocol}: one became several`);
    if (!isMessage(again)) {
      throw new Error(
        `${other.subprotocol}: what was valid isn't any more: ${JSON.stringify(again)}`,
      );
    }
    if (codec !== jsonCodec) continue;
    hold(
      jsonCodec.encode(outgoing(again.message)) === text,
      `${other.subprotocol}: it has changed`,
    );
  }
}

/**
 * Whether what looks like a payload is one. Nobody encodes what is ignored as an unknown field, and
 * codecs take these names for what they are where they are known.
 */
function carriesOnlyItsOwn(message: object): boolean {
  const { bytes, publications, data } = message as Readonly<Record<string, unknown>>;
  if (bytes !== undefined && !(bytes instanceof Uint8Array)) return false;
  if (typeof data === "symbol") return false;
  if (publications === undefined) return true;
  const isEntry = (one: unknown): boolean =>
    typeof one === "object" && one !== null && !Array.isArray(one) && carriesOnlyItsOwn(one);
  return Array.isArray(publications) && publications.every(isEntry);
}

/** A line is valid as JSON exactly if it is as MessagePack, and refused with the same code. */
function checkAgreement(input: Input): void {
  if (typeof input !== "string" || input.length > 4_000) return;
  for (const line of input.split("\n").slice(0, 2)) {
    if (/__proto__|\\u|\p{Surrogate}/iu.test(line)) continue;
    const packed = packedOf(line);
    if (packed === null) continue;
    for (const decode of DECODERS) {
      const [asJson] = decode(jsonCodec, line);
      const [asPacked] = decode(msgpackCodec, packed);
      const [one, other] = [verdictOf(asJson), verdictOf(asPacked)];
      hold(one === other, `as JSON it is ${one}, as MessagePack ${other}`);
    }
  }
}

/** The same line as MessagePack; null where it is none, or can't be one. */
function packedOf(line: string): Uint8Array | null {
  try {
    const value = JSON.parse(line) as unknown;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    // A line that is no JSON to one isn't to be asked of the other.
    const [decoded] = jsonCodec.decodeClientMessages(line);
    if (
      decoded !== undefined &&
      "malformed" in decoded &&
      decoded.malformed.detail.startsWith("line:")
    )
      return null;
    const message = unpacked(value);
    return carriesOnlyItsOwn(message)
      ? (msgpackCodec.encode(outgoing(message)) as Uint8Array)
      : null;
  } catch (error) {
    if (error instanceof TailwireError || error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Bytes out of base64, as a JSON codec does it. */
function unpacked(value: object): object {
  const { bytes, publications } = value as { bytes?: unknown; publications?: unknown };
  const decoded = typeof bytes === "string" ? Buffer.from(bytes, "base64") : null;
  const isBase64 = decoded !== null && decoded.toString("base64") === bytes;
  const isObject = (one: unknown): one is object =>
    typeof one === "object" && one !== null && !Array.isArray(one);
  return {
    ...value,
    ...(isBase64 ? { bytes: new Uint8Array(decoded) } : {}),
    ...(Array.isArray(publications) && publications.every(isObject)
      ? { publications: publications.map(unpacked) }
      : {}),
  };
}

function verdictOf(decoded: Decoded<Message> | undefined): string {
  if (decoded === undefined) return "nothing";
  if ("malformed" in decoded) return decoded.malformed.code;
  return decoded.message === null ? "unknown" : "valid";
}
