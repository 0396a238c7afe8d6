/**
 * Writes a value that an application gives as JSON text, and judges it as it goes.
 *
 * `JSON.stringify` turns much into something else without a word: a Map into {}, NaN into null. Here
 * that is refused, with the place where it stands. Each property is read once, so what is judged is
 * what is written. It knows no messages.
 */
import { localError, wordsOf } from "./errors.ts";
import * as PROTOCOL_LIMITS from "./limits.ts";
import type { Table } from "./shapes.ts";

/** The keys and indexes that lead to the value that is being written. */
type Path = (string | number)[];

/** Text with nothing to escape. Looking for that is quicker than `JSON.stringify`. */
const PLAIN = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

/** @throws `invalid_data`, with the place and the reason, for what isn't a JSON value. */
export function jsonTextOf(value: unknown): string {
  const path: Path = [];
  try {
    return textOf(value, path) ?? refuse("undefined");
  } catch (error) {
    const keys = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`));
    throw localError("invalid_data", `data${keys.join("")}: ${wordsOf(error)}`);
  }
}

/** What the language calls a value, in every realm: `[object Map]`. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}

/** The text of a value; undefined where a property that has it is left out. */
function textOf(value: unknown, path: Path): string | undefined {
  switch (typeof value) {
    case "string":
      return quoted(value);
    case "boolean":
      return String(value);
    case "number":
      return Number.isFinite(value) ? String(value) : refuse(String(value));
    case "undefined":
      return undefined;
    default:
      return value === null ? "null" : convertedText(value, path);
  }
}

/** The text of what `toJSON` makes of a value, where it has one, as `JSON.stringify` takes it. */
function convertedText(value: unknown, path: Path): string | undefined {
  const { toJSON } = value as { readonly toJSON?: unknown };
  // Node's Buffer has one, and nobody means its list of numbers.
  if (typeof toJSON !== "function" || ArrayBuffer.isView(value)) return structureText(value, path);
  const converted: unknown = toJSON.call(value, String(path.at(-1) ?? ""));
  if (converted === null && tagOf(value) === "[object Date]") refuse("an invalid Date");
  const isObject = typeof converted === "object" && converted !== null;
  return isObject ? structureText(converted, path) : textOf(converted, path);
}

/** The text of what holds other values. */
function structureText(value: unknown, path: Path): string {
  if (path.length === PROTOCOL_LIMITS.depthMax) refuse(`nested more than ${path.length} deep`);
  if (Array.isArray(value)) return listText(value, path);
  const tag = tagOf(value);
  if (isTable(value, tag)) return objectText(value, path);
  if (ArrayBuffer.isView(value) || tag.endsWith("ArrayBuffer]")) {
    refuse(path.length === 0 ? "bytes" : "bytes inside an object");
  }
  const kind = tag.slice(8, -1);
  return refuse(`a${/^[AEIO]/.test(kind) ? "n" : ""} ${kind}`);
}

/** The text of a list, which is its elements: a hole is none. */
function listText(list: readonly unknown[], path: Path): string {
  // A getter may make it longer.
  const { length } = list;
  let text = "";
  for (let index = 0; index < length; index += 1) {
    path.push(index);
    if (index > 0) text += ",";
    text += textOf(list[index], path) ?? refuse("undefined");
    path.pop();
  }
  return `[${text}]`;
}

/** The text of an object, which is its own enumerable properties. */
function objectText(table: Table, path: Path): string {
  const keys = Object.keys(table);
  if (hidesMore(table, keys)) refuse("an object with more than JSON can hold");
  let text = "";
  for (const key of keys) {
    path.push(key);
    const written = textOf(table[key], path);
    if (written !== undefined) text += `${text && ","}${quoted(key)}:${written}`;
    path.pop();
  }
  return `{${text}}`;
}

function isTable(value: unknown, tag: string): value is Table {
  return typeof value === "object" && tag === "[object Object]";
}

/** Whether an object has keys that are symbols, or is an instance that shows nothing of itself. */
function hidesMore(table: Table, keys: readonly string[]): boolean {
  // Each realm has an Object.prototype of its own: it is where the chain ends.
  if (keys.length === 0 && parentOf(parentOf(table)) !== null) return true;
  const symbols = Object.getOwnPropertySymbols(table);
  return symbols.some((symbol) => Object.prototype.propertyIsEnumerable.call(table, symbol));
}

function parentOf(value: object | null): object | null {
  return value && (Object.getPrototypeOf(value) as object | null);
}

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

function refuse(reason: string): never {
  throw new Error(reason);
}
