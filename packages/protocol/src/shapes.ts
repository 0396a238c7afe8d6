/**
 * Whether a value has a message's shape, by the tables of `schema.ts`.
 *
 * Unknown fields are ignored, and data is never looked into. This file finds no words for what is
 * wrong: `validate.ts` does.
 */
import { isChannelName } from "./channel-name.ts";
import * as PROTOCOL_LIMITS from "./limits.ts";
import type { Field, Fields } from "./schema.ts";

export type Table = Readonly<Record<string, unknown>>;

/** Keys that some languages' objects take for their own machinery [MSG-5]. */
const MACHINERY: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The first key that a message mustn't have, or "" where it has too many; else null. */
export function forbiddenKey(value: Table): string | null {
  let keys = 0;
  for (const key in value) {
    keys += 1;
    if (MACHINERY.has(key)) return key;
  }
  return keys > PROTOCOL_LIMITS.keysMax ? "" : null;
}

/** A field of a value; undefined where it isn't its own. */
export function own(value: Table, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

export function fits(value: unknown, field: Field): boolean {
  switch (field.kind) {
    case "optional":
      return value === undefined || fits(value, field.of);
    case "nullable":
      return value === null || fits(value, field.of);
    case "data":
      // A codec leaves a symbol where it found no JSON.
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
  return true;
}

/** Whether it carries either data or bytes, where it may carry bytes. */
export function carriesOne(value: Table, fields: Fields): boolean {
  return !("bytes" in fields) || "data" in value !== "bytes" in value;
}

/** Which of several shapes a value means to have; null where it is none of them. */
export function choose(
  value: unknown,
  { text, byKey }: Extract<Field, { kind: "either" }>,
): Field | null {
  if (!isTable(value)) return text;
  return byKey.find(([key]) => Object.hasOwn(value, key))?.[1] ?? null;
}
