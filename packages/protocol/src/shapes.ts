/**
 * Checks a value against the tables of `schema.ts`.
 *
 * Unknown fields are ignored, and data is never looked into. The answer is yes or no: `validate.ts`
 * describes a fault.
 */
import { isChannelName } from "./channel-name.ts";
import * as PROTOCOL_LIMITS from "./limits.ts";
import type { Field, Fields } from "./schema.ts";

export type Table = Readonly<Record<string, unknown>>;

/** Keys with a special meaning in JavaScript's objects, and in other languages' [MSG-5]. */
const MACHINERY: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The first key that no message may have [MSG-5], or "" where there are too many [MSG-6]; else null. */
export function forbiddenKey(value: Table): string | null {
  let keys = 0;
  for (const key in value) {
    keys += 1;
    if (MACHINERY.has(key)) return key;
  }
  return keys > PROTOCOL_LIMITS.keysMax ? "" : null;
}

/** An own field of a value; undefined where it is inherited or missing. */
export function own(value: Table, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Whether a value keeps the rule. Inherited fields don't count; unknown ones are ignored [MSG-6]. */
export function fits(value: unknown, field: Field): boolean {
  switch (field.kind) {
    case "optional":
      return value === undefined || fits(value, field.of);
    case "nullable":
      return value === null || fits(value, field.of);
    case "data":
      // The MessagePack codec leaves a symbol where the text wasn't JSON.
      return value !== undefined && typeof value !== "symbol";
    case "bytes":
      return value instanceof Uint8Array;
    case "boolean":
      return typeof value === "boolean";
    case "integer":
      return (
        Number.isSafeInteger(value) &&
        (value as number) >= field.min &&
        (value as number) <= field.max
      );
    case "text":
      return (
        typeof value === "string" &&
        value.length >= (field.min ?? 1) &&
        value.length <= field.max &&
        (field.pattern?.test(value) ?? true)
      );
    case "channel":
      return typeof value === "string" && isChannelName(value);
    case "choice":
      return typeof value === "string" && field.values.includes(value);
    case "list":
      return (
        Array.isArray(value) &&
        value.length <= field.max &&
        value.every((item) => fits(item, field.of))
      );
    case "object":
      return fitsFields(value, field.fields);
    case "either": {
      const chosen = choose(value, field);
      return chosen !== null && fits(value, chosen);
    }
    default:
      return field satisfies never;
  }
}

function fitsFields(value: unknown, fields: Fields): boolean {
  if (!isTable(value) || !carriesOne(value, fields)) return false;
  for (const name in fields) {
    if (!fits(own(value, name), fields[name] as Field)) return false;
  }
  return settlesBelow(value, fields);
}

/** Whether exactly one of data and bytes is there, where the fields have both [ENC-9]. */
export function carriesOne(value: Table, fields: Fields): boolean {
  return !("bytes" in fields) || "data" in value !== "bytes" in value;
}

/** Whether `settled` lies below `sequence`, where the fields have both [PUB-15]. */
export function settlesBelow({ sequence, settled }: Table, fields: Fields): boolean {
  return !("settled" in fields) || (settled as number) < (sequence as number);
}

/** The rule that applies to a value; null where none does. */
export function choose(
  value: unknown,
  { text, byKey }: Extract<Field, { kind: "either" }>,
): Field | null {
  if (!isTable(value)) return text;
  return byKey.find(([key]) => Object.hasOwn(value, key))?.[1] ?? null;
}
