/**
 * A mistake of the application: one of its functions threw, or gave what it may not. It says in words
 * which function and what was wrong, for the application's log, and what the client is told instead.
 */
import { TailwireError, tailwireError } from "@tailwire/protocol";
import { errorOf } from "./thrown.ts";

/** Characters that are kept of an error's own words: they may quote what a client sent. */
const WORDS_MAX = 256;

export class Mistake extends Error {
  override readonly name = "Mistake";
  /** The application's function: `authorize`, `requests.rename`. */
  readonly hook: string;
  /** The answer to the client: nothing of the mistake itself. */
  readonly answer: TailwireError;

  /** The message names the hook. */
  constructor(
    hook: string,
    message: string,
    { cause, answer = tailwireError("internal") }: { cause?: unknown; answer?: TailwireError } = {},
  ) {
    super(message, cause === undefined ? {} : { cause });
    this.hook = hook;
    this.answer = answer;
  }
}

/** It hasn't answered by its deadline, which is nobody's bug by itself: what it waits for may be away. */
export class Overdue extends Mistake {
  constructor(hook: string, deadline: string, answer: TailwireError) {
    super(hook, `${hook} took longer than ${deadline}`, { answer });
  }
}

/** A value thrown by a function of the application, as a mistake of that function. */
export function thrownBy(hook: string, thrown: unknown, answer?: TailwireError): Mistake {
  const cause = errorOf(thrown);
  const message = `${hook} threw: ${cause.message.slice(0, WORDS_MAX)}`;
  return new Mistake(hook, message, answer === undefined ? { cause } : { cause, answer });
}

/**
 * The error that a call of the application's function ended with: a `TailwireError` that it threw is
 * an answer.
 */
export function outcomeOf(hook: string, thrown: unknown): Error {
  const error = errorOf(thrown);
  return error instanceof TailwireError || error instanceof Mistake ? error : thrownBy(hook, error);
}

/** Converts what a function of the application gave. @throws Mistake where that is refused. */
export function convertGiven<Value>(hook: string, convert: () => Value): Value {
  try {
    return convert();
  } catch (thrown) {
    if (thrown instanceof Mistake) throw thrown;
    const cause = errorOf(thrown);
    const message = `${hook} gave what can't be used: ${cause.message.slice(0, WORDS_MAX)}`;
    throw new Mistake(hook, message, { cause });
  }
}

/** A value in a word or two. It quotes no text, which may be a secret, and looks into no object. */
export function inWords(value: unknown): string {
  switch (typeof value) {
    case "undefined":
      return "nothing";
    case "number":
    case "boolean":
      return String(value);
    case "string":
      return value === "" ? "an empty text" : "a text";
    case "object":
      return value === null ? "null" : isArray(value) ? "an array" : "an object";
    default:
      return `a ${typeof value}`;
  }
}

/** A proxy that was revoked can't even be asked that. */
function isArray(value: object): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}
