/**
 * Options that were given, checked when they are given: a name that isn't known and a value that makes no
 * sense would show as silence later. Which options there are is said where they are used, as a table.
 */
import { inWords } from "./mistake.ts";

/** Options that an application sets itself. One that is `undefined` is left out. */
export type Chosen<Options> = { readonly [Name in keyof Options]?: Options[Name] | undefined };

/** The kind of value that an option takes. */
export interface Kind {
  readonly words: string;
  readonly fits: (value: unknown) => boolean;
  /** A value of the right type that is out of range. TypeError where left out. */
  readonly error?: ErrorConstructor;
}

/** The kind of each option. All may be left out; the reader of an option that may not sees to it. */
export type Kinds<Options> = Readonly<Record<keyof Options, Kind>>;

export const FUNCTION: Kind = { words: "a function", fits: (value) => typeof value === "function" };
export const BOOLEAN: Kind = {
  words: "true or false",
  fits: (value) => typeof value === "boolean",
};
export const TEXT: Kind = { words: "text", fits: (value) => typeof value === "string" };
export const OBJECT: Kind = { words: "an object", fits: isPlain };

/** An object with these methods, whatever else it has. */
export function withMethods(...names: readonly string[]): Kind {
  return {
    words: `an object with ${names.join(" and ")}`,
    fits: (value) =>
      typeof value === "object" &&
      value !== null &&
      names.every((name) => typeof (value as Record<string, unknown>)[name] === "function"),
  };
}

export function listOf(words: string, fits: (value: unknown) => boolean): Kind {
  return {
    words: `an array of ${words}`,
    // A copy, since `every` passes holes by.
    fits: (value) => Array.isArray(value) && [...(value as unknown[])].every(fits),
  };
}

/** Any number from `least` to `most`. NaN is none. */
export function numberFrom(least: number, most: number): Kind {
  const fits = (value: unknown): boolean =>
    typeof value === "number" && value >= least && value <= most;
  const words =
    most === Infinity ? `a number from ${least} on` : `a number from ${least} to ${most}`;
  return { words, fits, error: RangeError };
}

export function integerFrom(least: number, most: number): Kind {
  const { words, fits, error = RangeError } = numberFrom(least, most);
  const whole = (value: unknown): boolean => Number.isInteger(value) && fits(value);
  return { words: words.replace("a number", "an integer"), fits: whole, error };
}

/**
 * The options that were given, without those that are `undefined`: they are left out.
 *
 * @throws TypeError for what is no object, an unknown name, and a value of the wrong type; RangeError for a
 * number out of range.
 */
export function givenOptions<Options extends object>(
  where: string,
  given: unknown,
  kinds: Kinds<Options>,
): { readonly [Name in keyof Options]?: Exclude<Options[Name], undefined> } {
  if (!isPlain(given)) throw new TypeError(`${where} is ${inWords(given)}, expected an object`);
  const names = Object.keys(kinds);
  const options = Object.entries(given).filter(([, value]) => value !== undefined);
  for (const [name, value] of options) {
    if (!names.includes(name)) {
      throw new TypeError(`${where} has no "${name}". It takes ${names.join(", ")}`);
    }
    const { words, fits, error = TypeError } = kinds[name as keyof Options];
    if (!fits(value)) throw new error(`${where}.${name} is ${inWords(value)}, expected ${words}`);
  }
  return Object.fromEntries(options) as Options;
}

/** Whether it is what braces make: of a Map, or an instance of a class, nothing would be found. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
