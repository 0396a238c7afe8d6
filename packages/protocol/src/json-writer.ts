/**
 * Writes an application's value as JSON text, and refuses what JSON can't hold [ENC-12].
 *
 * `JSON.stringify` changes such values silently: a Map becomes {}, NaN becomes null. Each property is
 * read once, into a copy, so a getter can't pass the check with one value and write another. This
 * file knows no messages.
 */
import { localError, wordsOf } from "./errors.ts";
import * as PROTOCOL_LIMITS from "./limits.ts";

/** The keys and indexes that lead to the value that is being copied. */
type Path = (string | number)[];

type Table = Readonly<Record<string | number, unknown>>;

/** Objects without a prototype, so that `__proto__` is a plain key. A class makes them fast in V8. */
class Bare {
  [key: string]: unknown;
}
Object.setPrototypeOf(Bare.prototype, null);

/** @throws `invalid_data`, with the place and the reason, for what isn't a JSON value. */
export function jsonTextOf(value: unknown): string {
  const path: Path = [];
  try {
    return JSON.stringify(copyOf(value, path));
  } catch (error) {
    const keys = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`));
    throw localError("invalid_data", `data${keys.join("")}: ${wordsOf(error)}`);
  }
}

/** The value's tag, `[object Map]`, which is the same in every realm; `instanceof` isn't. */
function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}

/** Whether a value is a buffer, or a view of one. */
export function isBytes(value: unknown): boolean {
  return ArrayBuffer.isView(value) || tagOf(value).endsWith("ArrayBuffer]");
}

/** A copy of a value, of JSON's own kinds only; undefined where a property is to be left out. */
function copyOf(value: unknown, path: Path): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : refuse(String(value));
    case "undefined":
      return typeof path.at(-1) === "string" ? value : refuse("undefined");
    default:
      return value === null ? value : convertedCopy(value, path);
  }
}

/** Copies the result of `toJSON` where the value has that, as `JSON.stringify` does. */
function convertedCopy(value: unknown, path: Path): unknown {
  const { toJSON } = value as { readonly toJSON?: unknown };
  // A Buffer's `toJSON` gives a list of numbers: refuse it as bytes instead.
  if (typeof toJSON !== "function" || ArrayBuffer.isView(value)) return structureCopy(value, path);
  const converted: unknown = toJSON.call(value, String(path.at(-1) ?? ""));
  if (converted === null && tagOf(value) === "[object Date]") refuse(String(value));
  const isObject = typeof converted === "object" && converted !== null;
  return isObject ? structureCopy(converted, path) : copyOf(converted, path);
}

/** Copies a list or an object; refuses a Map, bytes, a function and the like. */
function structureCopy(value: unknown, path: Path): unknown {
  if (path.length === PROTOCOL_LIMITS.depthMax) refuse(`over ${path.length} deep`);
  if (Array.isArray(value)) return listCopy(value, path);
  const tag = tagOf(value);
  if (typeof value === "object" && tag === "[object Object]")
    return objectCopy(value as Table, path);
  return refuse(isBytes(value) ? "bytes" : tag.slice(8, -1));
}

/** Copies a list's elements. A hole is refused, as undefined is. */
function listCopy(list: readonly unknown[], path: Path): unknown {
  const copy: unknown[] = [];
  // Read the length once: a getter may make the list longer.
  const { length } = list;
  for (let index = 0; index < length; index += 1) copy.push(copyAt(list, index, path));
  return copy;
}

/** Copies an object's own enumerable properties. */
function objectCopy(table: Table, path: Path): unknown {
  const keys = Object.keys(table);
  if (hidesMore(table, keys)) refuse("more than JSON can hold");
  const copy = new Bare();
  for (const key of keys) copy[key] = copyAt(table, key, path);
  return copy;
}

function copyAt(holder: object, key: string | number, path: Path): unknown {
  path.push(key);
  const copy = copyOf((holder as Table)[key], path);
  path.pop();
  return copy;
}

/** Whether JSON would lose something: keys that are symbols, or the state of an instance without keys. */
function hidesMore(table: Table, keys: readonly string[]): boolean {
  const parent = Object.getPrototypeOf(table) as object | null;
  // The end of the prototype chain is a plain object's parent, in every realm.
  if (keys.length === 0 && parent && Object.getPrototypeOf(parent)) return true;
  const symbols = Object.getOwnPropertySymbols(table);
  return symbols.some((symbol) => Object.prototype.propertyIsEnumerable.call(table, symbol));
}

function refuse(reason: string): never {
  throw new Error(reason);
}
