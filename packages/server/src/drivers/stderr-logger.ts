/**
 * The logger of those who gave none: warnings and errors, a line each, on standard error. It never throws,
 * whatever is in the fields.
 *
 * Strangers have a part in what is logged: a text is cut, characters that a terminal would obey are
 * escaped, and a flood of lines becomes a count, since each is written before anything else goes on.
 */
import type { Logger } from "../ports.ts";
import { errorOf } from "../support/thrown.ts";

/** Characters that are kept of a text, and of an error's stack. */
const TEXT_MAX = 256;
const STACK_MAX = 4_096;

/** Lines in a second: those beyond it are counted. */
const LINES_MAX = 100;
const SECOND_MS = 1_000;

/** Control characters that JSON leaves as they are, line separators, and marks that turn text around. */
const OBEYED = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

export interface StderrLoggerOptions {
  /** Writes a line, its end included. */
  readonly write: (line: string) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

export function makeStderrLogger({ write, now }: StderrLoggerOptions): Logger {
  let second = -Infinity;
  let lines = 0;
  const log = (fields: object, message: string): void => {
    if (now() - second >= SECOND_MS) {
      if (lines > LINES_MAX) write(`tailwire: and ${lines - LINES_MAX} lines more\n`);
      second = now();
      lines = 0;
    }
    lines += 1;
    if (lines <= LINES_MAX)
      write(`tailwire: ${escaped(cut(message, TEXT_MAX))} ${inJson(fields)}\n`);
  };
  return { debug: ignore, info: ignore, warn: log, error: log };
}

const ignore = (): void => undefined;

export const stderrLogger = makeStderrLogger({
  write: (line) => void process.stderr.write(line),
  now: () => performance.now(),
});

function inJson(fields: object): string {
  try {
    return escaped(JSON.stringify(fields, (_name, value: unknown) => shortened(value)));
  } catch (thrown) {
    return JSON.stringify({ unreadable: errorOf(thrown).message });
  }
}

function shortened(value: unknown): unknown {
  if (value instanceof Error) {
    const { name, message } = value;
    return cut(`${name}: ${cut(message, TEXT_MAX)}${framesOf(value)}`, STACK_MAX);
  }
  return typeof value === "string" ? cut(value, STACK_MAX) : value;
}

/** The stack without the message, which stands before it and may be long. */
function framesOf({ stack = "" }: Error): string {
  const begin = stack.indexOf("\n    at ");
  return begin === -1 ? "" : stack.slice(begin);
}

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max)}… (${text.length} characters)`;
}

function escaped(text: string): string {
  return text.replace(OBEYED, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
