/** Nearly right values: an answer that would do, with one place of it changed. */
import type { Dice } from "@tailwire/simulation";
import { type Odd, oddValue } from "./odd-values.ts";
import { pick } from "../target.ts";

export type Path = readonly string[];

/** A nearly right value, and where it isn't right. */
export interface NearlyRight extends Odd {
  /** Empty where all of it is odd. */
  readonly place: Path;
}

/**
 * A right value with an odd one in one of its places, or without that place. Places lie at most
 * `depth` levels below it.
 */
export function nearlyRight(dice: Dice, right: unknown, depth = Infinity): NearlyRight {
  const places = placesOf(right, depth);
  const place = pick(dice, places);
  if (place === undefined) return { place: [], ...oddValue(dice) };
  return { place, ...changedAt(dice, right, place) };
}

function changedAt(dice: Dice, right: unknown, at: Path): Odd {
  const path = at.join(".");
  switch (dice.below(8)) {
    case 0:
      return {
        name: `no ${path}`,
        make: () => changed(right, at, (table, key) => delete table[key]),
      };
    case 1:
      return {
        name: `${path} throws`,
        make: () =>
          changed(right, at, (table, key) => {
            const get = (): never => {
              throw new RangeError("odd: a field that throws");
            };
            Object.defineProperty(table, key, { get, enumerable: true, configurable: true });
          }),
      };
    case 2:
      return {
        name: "what is right, by inheritance",
        make: () => Object.create(right as object) as unknown,
      };
    default: {
      const { name, make } = oddValue(dice);
      const put = (table: Record<string, unknown>, key: string): void => void (table[key] = make());
      return { name: `${path} is ${name}`, make: () => changed(right, at, put) };
    }
  }
}

/** The places of a value, outermost first. Bytes have none. */
function placesOf(value: unknown, depth: number): readonly Path[] {
  if (depth === 0) return [];
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    [key],
    ...placesOf(inner, depth - 1).map((path) => [key, ...path]),
  ]);
}

/** A copy that is changed at one place. Functions in it stay. */
function changed(
  value: unknown,
  [key = "", ...rest]: Path,
  change: (table: Record<string, unknown>, key: string) => void,
): unknown {
  const copy = (
    Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }
  ) as Record<string, unknown>;
  if (rest.length === 0) change(copy, key);
  else copy[key] = changed(copy[key], rest, change);
  return copy;
}
