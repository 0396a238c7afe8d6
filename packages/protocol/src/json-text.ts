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

/**
 * A number that JSON can write and a double can't hold would come out as null [ENC-3]. Below 210
 * digits and 10^100 together none can: the rest is looked at closely.
 */
const MAYBE_OVERFLOW = /[eE]\+?\d{3}|\d{210}/;

/** The value of JSON text; undefined where it is none, nests too deeply, or has a number too large. */
export function parseJson(text: string, depthMax: number): unknown {
  if (depthExceeds(text, depthMax)) return undefined;
  try {
    return MAYBE_OVERFLOW.test(text) ? JSON.parse(text, refuseOverflow) : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refuseOverflow(_key: string, value: unknown): unknown {
  if (value === Infinity || value === -Infinity) throw new RangeError("a number overflows");
  return value;
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
