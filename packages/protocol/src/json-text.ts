/**
 * A JSON value as its normalised text, which logs keep and messages carry.
 *
 * A value is encoded once, where it enters; everything after that copies the text.
 */
import { jsonTextOf } from "./json-writer.ts";
import { utf8Length } from "./utf8.ts";

/** A JSON value as its normalised text [ENC-6]. Made by {@link JsonText.of} only, so it is valid. */
export class JsonText {
  readonly text: string;
  #bytes: number | null = null;

  private constructor(text: string) {
    this.text = text;
  }

  /**
   * Encodes a value as `JSON.stringify` does: `toJSON` is called, and a property that is undefined is
   * left out.
   *
   * @throws `invalid_data`, with the place, for a value that `JSON.stringify` would change or drop (a
   * Map, NaN, a function), and for nesting beyond 64 [ENC-12].
   */
  static of(value: unknown): JsonText {
    return new JsonText(jsonTextOf(value));
  }

  /** Bytes of the text in UTF-8. Counted at the first call, and kept. */
  get bytes(): number {
    this.#bytes ??= utf8Length(this.text);
    return this.#bytes;
  }

  /** The value: a new copy at each call. */
  parse(): unknown {
    return JSON.parse(this.text);
  }
}

/** The value of JSON text; undefined where it isn't JSON, or {@link isBounded} rejects it. */
export function parseJson(text: string, depthMax: number): unknown {
  if (!isBounded(text, depthMax)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether brackets nest more than `max` deep [ENC-4]. Scans valid JSON text without parsing it. */
export function depthExceeds(text: string, max: number): boolean {
  // Each level takes two brackets, so shorter text can't be deeper.
  if (text.length <= 2 * max) return false;
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (inString) {
      if (unit === BACKSLASH) index += 1;
      else if (unit === QUOTE) inString = false;
    } else if (unit === QUOTE) {
      inString = true;
    } else if (unit === 0x5b || unit === 0x7b) {
      depth += 1;
      if (depth > max) return true;
    } else if (unit === 0x5d || unit === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}

/** Characters of the shortest number that overflows: `2e308`. */
const OVERFLOW_LENGTH_MIN = 5;

/**
 * Whether JSON text nests no deeper than `depthMax` [ENC-4], and has no number that a double can't hold
 * and `JSON.stringify` would write as null [ENC-3]. The scan is linear for every text; a regular
 * expression for long runs of digits isn't, and a reviver is called for each value.
 */
export function isBounded(text: string, depthMax: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (inString) {
      if (unit === BACKSLASH) index += 1;
      else if (unit === QUOTE) inString = false;
    } else if (unit === QUOTE) {
      inString = true;
    } else if (unit === 0x5b || unit === 0x7b) {
      depth += 1;
      if (depth > depthMax) return false;
    } else if (unit === 0x5d || unit === 0x7d) {
      depth -= 1;
    } else if (isDigit(unit)) {
      const start = index;
      while (index + 1 < text.length && isInNumber(text.charCodeAt(index + 1))) index += 1;
      const length = index + 1 - start;
      if (length >= OVERFLOW_LENGTH_MIN && Number(text.slice(start, index + 1)) === Infinity) {
        return false;
      }
    }
  }
  return true;
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

/** Digits, `.`, `e`, `E`, `+` and `-`: a number's characters after its first digit. */
function isInNumber(unit: number): boolean {
  return (
    isDigit(unit) ||
    unit === 0x2e ||
    unit === 0x65 ||
    unit === 0x45 ||
    unit === 0x2b ||
    unit === 0x2d
  );
}
