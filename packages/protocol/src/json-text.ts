/**
 * A JSON value, kept as its normalised text: the form that the log keeps and that travels.
 *
 * Encoding happens once, where the value enters; everything after that copies text.
 */
import { jsonTextOf } from "./json-writer.ts";
import { utf8Length } from "./utf8.ts";

export class JsonText {
  readonly text: string;
  #bytes: number | null = null;

  private constructor(text: string) {
    this.text = text;
  }

  /**
   * Encodes a value, as `JSON.stringify` does where that gives the value back: `toJSON` is called,
   * and a property that is undefined is left out.
   *
   * @throws `invalid_data`, saying where, for what JSON would turn into something else or has no
   * word for, and for nesting beyond `depthMax`.
   */
  static of(value: unknown): JsonText {
    return new JsonText(jsonTextOf(value));
  }

  /** Bytes of the text in UTF-8. Counted once. */
  get bytes(): number {
    this.#bytes ??= utf8Length(this.text);
    return this.#bytes;
  }

  /** The value. */
  parse(): unknown {
    return JSON.parse(this.text);
  }
}

/** The value of JSON text; undefined where it is none, nests too deeply, or has a number too large. */
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

/** Whether brackets in JSON text nest more than `max` deep, found without parsing it. */
export function depthExceeds(text: string, max: number): boolean {
  // A bracket each way per level: shorter text can't be deeper.
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

/** The shortest number that is too large: `2e308`. */
const OVERFLOW_LENGTH_MIN = 5;

/**
 * Whether JSON text nests no deeper than `depthMax`, and has no number that a double can't hold, which
 * would come out as null [ENC-3]. Each character is looked at once, whatever the text is: a pattern
 * that looks for long runs of digits begins anew at each of them, and a reviver is called for each value.
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

/** Digits, `.`, `e`, `E`, `+` and `-`: what a number goes on with. */
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
