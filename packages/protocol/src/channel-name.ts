/**
 * Channel names and patterns: one grammar, used on both sides.
 *
 * A name is segments between `:` and `/`. A pattern is a name in which whole segments may be
 * params in braces: `org:{org}/doc:{doc}`. This file doesn't know what a channel is.
 */
import { localError } from "./errors.ts";
import * as PROTOCOL_LIMITS from "./limits.ts";

/** The names in braces: `"org:{org}/doc:{doc}"` gives `"org" | "doc"`. */
export type ParamNames<Pattern extends string> =
  Pattern extends `${string}{${infer Name}}${infer Rest}` ? Name | ParamNames<Rest> : never;

/** The params of a pattern: `"room:{id}"` gives `{ id: string }`. */
export type Params<Pattern extends string> = string extends Pattern
  ? Readonly<Record<string, string>>
  : { readonly [Name in ParamNames<Pattern>]: string };

/**
 * The arguments that follow a pattern: params where it has any, else none. A name of type `string`,
 * put together at run time, is complete, so it takes none either.
 */
export type ParamArgs<Pattern extends string> = Pattern extends `${string}{${string}}${string}`
  ? [params: Params<Pattern>]
  : [];

// ASCII only: names that look alike are then the same name, and every broker can encode them [CHAN-1].
const SEGMENT = "[A-Za-z0-9_@+=,~!.-]+";
const NAME = new RegExp(`^${SEGMENT}(?:[:/]${SEGMENT})*$`);
const DOTS = /(?:^|[:/])\.{1,2}(?:[:/]|$)/;
const PARAM = /^\{([A-Za-z][A-Za-z0-9]*)\}$/;

/** Whether a name keeps the grammar: 1 to 200 characters, in segments [CHAN-1]. */
export function isChannelName(name: string): boolean {
  return name.length <= PROTOCOL_LIMITS.channelLengthMax && NAME.test(name) && !DOTS.test(name);
}

/** The grammar of names of events and requests, which stand in logs and in code. */
export const EVENT_NAME = /^[A-Za-z0-9_.:-]+$/;

/** Whether a value can name an event, or a request: text of 1 to 64 of `A-Z a-z 0-9 _ . : -`. */
export function isEventName(name: unknown): boolean {
  return (
    typeof name === "string" &&
    name.length <= PROTOCOL_LIMITS.eventLengthMax &&
    EVENT_NAME.test(name)
  );
}

/**
 * A channel's name from its pattern. A name without braces is returned as it is.
 *
 * @throws `bad_channel` when a param is missing, empty or holds a separator, or the name breaks the
 * grammar otherwise.
 */
export function channelName(pattern: string, params: Readonly<Record<string, string>>): string {
  // Without types a caller can pass `undefined`, and "undefined" would be a valid name.
  const parts = split(typeof pattern === "string" ? pattern : "");
  const name = fill(parts, params);
  // A param that holds a separator adds parts.
  if (!isChannelName(name) || split(name).length !== parts.length) {
    const shown = name.slice(0, PROTOCOL_LIMITS.channelLengthMax);
    throw localError("bad_channel", `"${shown}"`);
  }
  return name;
}

/** A channel pattern such as `room:{id}`. It is parsed once, so that matching is cheap. */
export class ChannelPattern {
  readonly pattern: string;
  /** Segments and the separators between them, alternating. */
  readonly #parts: readonly string[];

  /** @throws RangeError when the pattern breaks the grammar or names a param twice. */
  constructor(pattern: string) {
    this.pattern = pattern;
    this.#parts = parsePattern(pattern);
  }

  /** The name's params where the pattern matches it, else null. The name's grammar isn't checked. */
  match(name: string): Readonly<Record<string, string>> | null {
    const parts = split(name);
    if (parts.length !== this.#parts.length) return null;
    const params: Record<string, string> = Object.create(null) as Record<string, string>;
    for (const [index, part] of this.#parts.entries()) {
      const actual = parts[index] ?? "";
      const param = PARAM.exec(part)?.[1];
      if (param !== undefined) params[param] = actual;
      else if (part !== actual) return null;
    }
    return params;
  }

  /**
   * The name with its params in place, unchecked. A param that is missing stays as `{name}`, which
   * {@link isChannelName} rejects.
   */
  fill(params: Readonly<Record<string, string>>): string {
    return fill(this.#parts, params);
  }

  /** Whether a name exists that matches both patterns. A server can't declare two such patterns. */
  overlaps(other: ChannelPattern): boolean {
    return (
      this.#parts.length === other.#parts.length &&
      this.#parts.every((part, index) => {
        const twin = other.#parts[index] ?? "";
        return part === twin || PARAM.test(part) || PARAM.test(twin);
      })
    );
  }
}

/** The parts of a pattern. @throws RangeError when it breaks the grammar or names a param twice. */
function parsePattern(pattern: string): readonly string[] {
  const parts = split(pattern);
  const names = parts.flatMap((part) => PARAM.exec(part)?.[1] ?? []);
  const example = parts.map((part) => (PARAM.test(part) ? "x" : part)).join("");
  if (!isChannelName(example) || new Set(names).size !== names.length) {
    throw new RangeError(
      `"${pattern}" is not a channel pattern: segments between : and /, params as {name} fill a whole segment`,
    );
  }
  return parts;
}

function fill(parts: readonly string[], params: Readonly<Record<string, string>>): string {
  return parts
    .map((part) => {
      const param = PARAM.exec(part)?.[1];
      return param !== undefined && Object.hasOwn(params, param) ? params[param] : part;
    })
    .join("");
}

/** Segments at even indexes, separators at odd ones. */
function split(name: string): readonly string[] {
  return name.split(/([:/])/);
}
