/** A target: what is fed with inputs, and what has to hold of each. */
import type { Dice } from "@tailwire/simulation";

export type Input = string | Uint8Array;

export interface Target {
  readonly name: string;
  /** How many of a hundred inputs are for it. */
  readonly share: number;
  generate(dice: Dice): Input;
  /** Feeds it. @throws whatever shows that something doesn't hold. */
  check(input: Input): void;
  /** A server's or a client's own work on it, once: this is what is timed. */
  decode(input: Input): unknown;
}

/** The fault that an input has shown: said in words, for whoever reads the report. */
class Broken extends Error {}

/** @throws Broken */
export function hold(condition: boolean, words: string): asserts condition {
  if (!condition) throw new Broken(words);
}

/** One of several. */
export function pick<Item>(dice: Dice, items: readonly [Item, ...Item[]]): Item;
export function pick<Item>(dice: Dice, items: readonly Item[]): Item | undefined;
export function pick<Item>(dice: Dice, items: readonly Item[]): Item | undefined {
  return items[dice.below(items.length)];
}
