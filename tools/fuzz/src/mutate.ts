/**
 * Mutations: nearly right inputs, made a little wrong. They change text, the values in it, and bytes.
 *
 * They know JSON and MessagePack, and no message.
 */
import type { Dice } from "@tailwire/simulation";
import { PROTOCOL_LIMITS } from "@tailwire/protocol";
import { LINES, PACKED } from "./seeds.ts";
import { pick } from "./target.ts";

/** The length that most inputs are cut to, in characters or bytes. */
const USUAL_MAX = 2_000;

/** A run of one to four mutations. */
function several<Value>(
  dice: Dice,
  value: Value,
  mutations: readonly ((dice: Dice, value: Value) => Value)[],
): Value {
  let mutated = value;
  for (let left = 1 + dice.below(4); left > 0; left -= 1) {
    mutated = (pick(dice, mutations) as (typeof mutations)[number])(dice, mutated);
  }
  return mutated;
}

/** Values that are hard somewhere. */
const HARD = [
  "0",
  "-0",
  "-1",
  "1.5",
  "1e400",
  "-1e999",
  "9007199254740991",
  "9007199254740992",
  "1e21",
  "1".repeat(320),
  "5e-324",
  "NaN",
  "null",
  "true",
  '""',
  '"\\ud800"',
  '"\\u0000"',
  '"\u2028\ufeff\u0130"',
  '"e\u0301\u202e"',
  '"__proto__"',
  "[]",
  "{}",
  "[[[[[]]]]]",
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '"AAECAw=="',
  '"AAECAx=="',
  '"latest"',
  '{"rewind":{"count":1}}',
  '{"epoch":"e","offset":-1,"id":null}',
  '{"epoch":"e","offset":9007199254740992,"id":""}',
  '"room:7/../x"',
  `"${"a".repeat(201)}"`,
] as const;

const KEYS = ["type", "id", "timestamp", "channel", "data", "bytes", "start", "__proto__", "re"];

const within = (dice: Dice, { length }: { readonly length: number }): number =>
  dice.below(length + 1);

const TEXT: readonly ((dice: Dice, text: string) => string)[] = [
  // A character is another, is gone, or is there twice.
  (dice, text) => replaced(text, within(dice, text), 1, String.fromCharCode(dice.below(0x80))),
  (dice, text) => replaced(text, within(dice, text), 1, String.fromCharCode(dice.below(0x1_0000))),
  (dice, text) => replaced(text, within(dice, text), 1 + dice.below(8), ""),
  (dice, text) => text.slice(0, within(dice, text)),
  (dice, text) => text.slice(within(dice, text)),
  // A piece of another.
  (dice, text) => {
    const other = pick(dice, LINES) ?? "";
    const from = within(dice, other);
    return replaced(
      text,
      within(dice, text),
      dice.below(20),
      other.slice(from, from + dice.below(60)),
    );
  },
  // A value is a hard one.
  (dice, text) => {
    const values = [...text.matchAll(/:("(?:[^"\\]|\\.)*"|-?[\d.e+]+|null|true|false|\[\]|\{\})/g)];
    const value = pick(dice, values);
    if (value?.[1] === undefined) return text;
    return replaced(text, value.index + 1, value[1].length, pick(dice, HARD));
  },
  // One more field, perhaps of a name that is there.
  (dice, text) => text.replace("{", () => `{"${pick(dice, KEYS) ?? ""}":${pick(dice, HARD)},`),
  // Nested deeply, and many lines.
  (dice, text) => {
    const depth = pick(dice, [3, 60, 64, 66, 130]);
    return text.replace("{", () => `{"x":${"[".repeat(depth)}${"]".repeat(depth)},`);
  },
  (dice, text) => text + text.repeat(pick(dice, [0, 1, 1, 2])),
];

function replaced(text: string, at: number, length: number, by: string): string {
  return text.slice(0, at) + by + text.slice(at + length);
}

export function mutatedText(dice: Dice, text = pick(dice, LINES) ?? ""): string {
  return enlarged(dice, several(dice, text, TEXT).slice(0, USUAL_MAX));
}

/** One in a thousand is as large as a server takes, so that most are quick. */
function enlarged(dice: Dice, text: string): string {
  if (dice.below(1_000) > 0 || text === "") return text;
  const { messageBytesMax } = PROTOCOL_LIMITS;
  const piece =
    dice.below(2) === 0 ? text : pick(dice, ["[", '{"a":', "\n", "{}\n", '"\\ud800', "1e9"]);
  return (
    text + piece.repeat(messageBytesMax / piece.length).slice(0, messageBytesMax - text.length)
  );
}

/** Heads of MessagePack that claim a length, with the most that they can claim. */
const LIES: readonly (readonly number[])[] = [
  [0xdd, 0xff, 0xff, 0xff, 0xff],
  [0xdf, 0xff, 0xff, 0xff, 0xff],
  [0xdb, 0xff, 0xff, 0xff, 0xff],
  [0xc6, 0xff, 0xff, 0xff, 0xff],
  [0xde, 0xff, 0xff],
  [0xd9, 0xff],
  [0xd6, 0xff, 0, 0, 0, 0],
  [0xc9, 0, 0, 0, 1, 0xff, 0],
  [0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
  [0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0],
  [0xc0],
  [0xc1],
  [0x80],
  [0xa9, 0x5f, 0x5f, 0x70, 0x72, 0x6f, 0x74, 0x6f, 0x5f, 0x5f],
  [0xa2, 0xff, 0xfe],
];

const BYTES: readonly ((dice: Dice, bytes: Uint8Array) => Uint8Array)[] = [
  (dice, bytes) => {
    const flipped = bytes.slice();
    const at = dice.below(Math.max(1, bytes.length));
    if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << dice.below(8));
    return flipped;
  },
  (dice, bytes) => joined(bytes, within(dice, bytes), 1, [dice.below(256)]),
  (dice, bytes) => joined(bytes, within(dice, bytes), dice.below(6), []),
  (dice, bytes) => bytes.slice(0, within(dice, bytes)),
  (dice, bytes) => joined(bytes, within(dice, bytes), dice.below(3), pick(dice, LIES) ?? []),
  (dice, bytes) => {
    const other = pick(dice, PACKED) ?? bytes;
    const from = within(dice, other);
    const piece = other.subarray(from, from + dice.below(40));
    return joined(bytes, within(dice, bytes), dice.below(10), piece);
  },
  (dice, bytes) => {
    const depth = pick(dice, [3, 60, 64, 66, 130]);
    return joined(bytes, within(dice, bytes), 1, [
      ...Array.from({ length: depth }, () => 0x91),
      0xc0,
    ]);
  },
  (dice, bytes) =>
    joined(bytes, bytes.length, 0, dice.below(2) === 0 ? bytes : (pick(dice, PACKED) ?? [])),
];

function joined(bytes: Uint8Array, at: number, drop: number, piece: ArrayLike<number>): Uint8Array {
  const rest = bytes.subarray(Math.min(bytes.length, at + drop));
  const result = new Uint8Array(at + piece.length + rest.length);
  result.set(bytes.subarray(0, at));
  result.set(piece, at);
  result.set(rest, at + piece.length);
  return result;
}

export function mutatedBytes(
  dice: Dice,
  bytes = pick(dice, PACKED) ?? new Uint8Array(),
): Uint8Array {
  return several(dice, bytes, BYTES).slice(0, USUAL_MAX);
}
