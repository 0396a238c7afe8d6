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
 * The arguments that follow a pattern: params where it has any, else none. A name put together
 * at run time is taken as it stands, so it takes none either.
 */
export type ParamArgs<Pattern extends string> = Pattern extends `${string}{${string}}${string}`
  ? [params: Params<Pattern>]
  : [];

// ASCII only: names that look alike are the same name, and every broker can encode them [CHAN-1].
const SEGMENT = "[A-Za-z0-9_@+=,~!.-]+";
const NAME = new RegExp(`^${SEGMENT}(?:[:/]${SEGMENT})*$`);
const DOTS = /(?:^|[:/])\.{1,2}(?:[:/]|$)/;
const PARAM = /^\{([A-Za-z][A-Za-z0-9]*)\}$/;

/** Whether a name keeps the grammar [CHAN-1]. */
export function isChannelName(name: string): boolean {
  return name.length <= PROTOCOL_LIMITS.channelLengthMax && NAME.test(name) && !DOTS.test(name);
}

/** What an event's name and a request's may be, its length aside: it stands in logs, and in code. */
export const EVENT_NAME = /^[A-Za-z0-9_.:-]+$/;

/** Whether something can be the name of an event, or of a request. */
export function isEventName(name: unknown): boolean {
  return (
    typeof name === "string" &&
    name.length <= PROTOCOL_LIMITS.eventLengthMax &&
    EVENT_NAME.test(name)
  );
}

/**
 * A channel's name from its pattern. A name that was put together already is taken as it is.
 *
 * @throws `bad_channel` when a param is missing, empty or holds a separator, or the name breaks the
 * grammar otherwise.
 */
export function channelName(pattern: string, params: Readonly<Record<string, string>>): string {
  // Without types anything may be given, and `undefined` would be a fine name.
  const parts = split(typeof pattern === "string" ? pattern : "");
  const name = fill(parts, params);
  // A param that holds a separator makes more of them.
  if (!isChannelName(name) || split(name).length !== parts.length) {
    const shown = name.slice(0, PROTOCOL_LIMITS.channelLengthMax);
    throw localError("bad_channel", `"${shown}": up to 200 of ${SEGMENT} between : and /`);
  }
  return name;
}

/** A pattern, taken apart once so that matching is cheap. */
export class ChannelPattern {
  readonly pattern: string;
  /** Segments and the separators between them, alternating. */
  readonly #parts: readonly string[];

  /** @throws RangeError when the pattern breaks the grammar or names a param twice. */
  constructor(pattern: string) {
    this.pattern = pattern;
    this.#parts = parsePattern(pattern);
  }

  /** The params of a name that the pattern matches, else null. */
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

  /** The name with its params in place. Undefined ones stay as they are, and break the grammar. */
  fill(params: Readonly<Record<string, string>>): string {
    return fill(this.#parts, params);
  }

  /** Whether some name matches both. Two such patterns can't be declared side by side. */
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

/** Segments stand at even places, separators at odd ones. */
function split(name: string): readonly string[] {
  return name.split(/([:/])/);
}
