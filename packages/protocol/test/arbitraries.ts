/** Messages made by chance from the schema's own tables, and what every test of decoding needs. */
import {
  CLIENT_MESSAGES,
  type ClientMessage,
  type Decoded,
  type Field,
  type Fields,
  jsonCodec,
  JsonText,
  type Malformed,
  type Outgoing,
  PROTOCOL_LIMITS,
  SERVER_MESSAGES,
  type ServerMessage,
} from "@tailwire/protocol";
import fc from "fast-check";

export type Direction = "client" | "server";
export type Message = ClientMessage | ServerMessage;
export type Table = Readonly<Record<string, unknown>>;

export const TABLES: Readonly<Record<Direction, Readonly<Record<string, Fields>>>> = {
  client: CLIENT_MESSAGES,
  server: SERVER_MESSAGES,
};

/** Every message type of both directions. */
export const TYPES: readonly (readonly [Direction, string])[] = (
  ["client", "server"] as const
).flatMap((direction) => Object.keys(TABLES[direction]).map((type) => [direction, type] as const));

export function decode(
  direction: Direction,
  wire: string | Uint8Array,
): readonly Decoded<Message>[] {
  return direction === "client"
    ? jsonCodec.decodeClientMessages(wire)
    : jsonCodec.decodeServerMessages(wire);
}

/** A message as it goes out: its data, if there is any, becomes text first. */
export function outgoing(message: Table): Outgoing<Message> {
  const { data, publications, ...rest } = message;
  return {
    ...rest,
    ...(Array.isArray(publications) ? { publications: publications.map(outgoing) } : {}),
    ...(Object.hasOwn(message, "data") ? { data: JsonText.of(data) } : {}),
  } as unknown as Outgoing<Message>;
}

/** Encodes a message as it is in memory. */
export function encode(message: Table): string {
  return jsonCodec.encode(outgoing(message)) as string;
}

/** A message whose bytes are written as base64, as a JSON file has to, as it is in memory. */
export function revived(message: Table): Table {
  const { bytes, publications } = message;
  return {
    ...message,
    ...(typeof bytes === "string" ? { bytes: Uint8Array.from(Buffer.from(bytes, "base64")) } : {}),
    ...(Array.isArray(publications) ? { publications: publications.map(revived) } : {}),
  };
}

/** The one message that a line decodes to, or why it doesn't. */
export function decodeOne(direction: Direction, line: string): Decoded<Message> {
  const decoded = decode(direction, line);
  if (decoded.length !== 1) throw new Error(`${decoded.length} messages on one line`);
  return decoded[0] as Decoded<Message>;
}

/** Why a line is refused; null when it isn't. */
export function refusal(direction: Direction, line: string): Malformed | null {
  const decoded = decodeOne(direction, line);
  return "malformed" in decoded ? decoded.malformed : null;
}

const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index));
const SEGMENT = PRINTABLE.filter((character) => /[A-Za-z0-9_@+=,~!.-]/.test(character));

const segment = fc
  .string({ unit: fc.constantFrom(...SEGMENT), minLength: 1, maxLength: 12 })
  .filter((text) => text !== "." && text !== "..");

/** Names that keep the grammar. */
export const channelName = fc
  .array(fc.tuple(fc.constantFrom(":", "/"), segment), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.flat().slice(1).join(""));

/** A JSON value as it comes out of text: no -0, and nothing deeper than data may be. */
export const data: fc.Arbitrary<unknown> = fc
  .jsonValue({ maxDepth: 6, stringUnit: "binary" })
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown);

function text(field: Extract<Field, { kind: "text" }>): fc.Arbitrary<string> {
  const { pattern, max, min = 1 } = field;
  const units = PRINTABLE.filter((character) => pattern?.test(character) ?? true);
  const plain = fc.string({ unit: fc.constantFrom(...units), minLength: min, maxLength: max });
  if (pattern !== undefined) return plain;
  // UTF-16 units are what is counted, and any of them may be in text without a pattern.
  return fc.oneof(
    plain,
    fc
      .string({ unit: "binary", maxLength: max })
      .filter((one) => one.length >= min && one.length <= max),
  );
}

const COMMON: Fields = {
  id: { kind: "text", max: PROTOCOL_LIMITS.idLengthMax, pattern: /^[!-~]+$/ },
  timestamp: { kind: "integer", min: 0, max: Number.MAX_SAFE_INTEGER },
};

/** Fields that every message has, as the page says. A server's ids may be longer, and hold anything. */
export const ENVELOPES: Readonly<Record<Direction, Fields>> = {
  client: COMMON,
  server: { ...COMMON, id: { kind: "text", max: PROTOCOL_LIMITS.publicationIdLengthMax } },
};

/** Values that a field may have. Undefined: left out. */
export function valueOf(field: Field): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case "text":
      return text(field);
    case "integer":
      return fc.oneof(
        fc.constantFrom(field.min, field.max),
        fc.maxSafeInteger().map((value) => Math.min(field.max, Math.max(field.min, value))),
      );
    case "boolean":
      return fc.boolean();
    case "channel":
      return channelName;
    case "data":
      return data;
    case "bytes":
      return fc.uint8Array({ maxLength: 300 });
    case "choice":
      return fc.constantFrom(...field.values);
    case "list":
      return fc.array(valueOf(field.of), { maxLength: Math.min(field.max, 64) });
    case "object":
      return tableOf(field.fields);
    case "nullable":
      return fc.oneof(fc.constant(null), valueOf(field.of));
    case "optional":
      return fc.oneof(fc.constant(undefined), valueOf(field.of));
    case "either": {
      const objects = field.byKey.map(([, byKey]) => valueOf(byKey));
      const { text: choice } = field;
      const words = choice?.kind === "choice" && choice.values.length > 0 ? [valueOf(choice)] : [];
      return fc.oneof(...words, ...objects);
    }
    default:
      return field satisfies never;
  }
}

function tableOf(fields: Fields): fc.Arbitrary<Table> {
  const arbitraries = Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, valueOf(field)]),
  );
  return fc
    .record(arbitraries)
    .map((table) =>
      Object.fromEntries(Object.entries(table).filter(([, value]) => value !== undefined)),
    )
    .map((table) => ("bytes" in fields ? carryingOne(table) : table))
    .map((table) => ("settled" in fields ? settlingLess(table) : table));
}

/** The same with either data or bytes. */
function carryingOne({ data: json = null, bytes, ...rest }: Table): Table {
  return bytes === undefined ? { ...rest, data: json } : { ...rest, bytes };
}

/** The same with `settled` below `sequence`. */
function settlingLess(table: Table): Table {
  const { sequence, settled } = table as { readonly sequence: number; readonly settled: number };
  return { ...table, settled: Math.min(settled, sequence - 1) };
}

/** Messages of a type, all their rules kept. */
export function messageOf(direction: Direction, type: string): fc.Arbitrary<Table> {
  return fc
    .tuple(tableOf(ENVELOPES[direction]), tableOf(TABLES[direction][type] as Fields))
    .map(([envelope, fields]) => ({ type, ...envelope, ...fields }));
}

/** Messages of all types. */
export const anyMessage: fc.Arbitrary<readonly [Direction, Table]> = fc.oneof(
  ...TYPES.map(([direction, type]) =>
    messageOf(direction, type).map((message) => [direction, message] as const),
  ),
);
