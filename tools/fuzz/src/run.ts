/**
 * Runs inputs: makes each from the seed and its number alone, feeds it, and judges what comes.
 * An input that shows something is made as small as it still shows it.
 */
import { performance } from "node:perf_hooks";
import { Dice } from "@tailwire/simulation";
import { jsonMessages, packedMessages } from "./messages.ts";
import { names, payloads } from "./names.ts";
import { slowness } from "./pace.ts";
import { isTamperedWith } from "./prototypes.ts";
import type { Input, Target } from "./target.ts";

export const TARGETS: readonly Target[] = [jsonMessages, packedMessages, names, payloads];

/** Milliseconds that an input may take; and those that it has to exceed in every try to be judged. */
export const AIM_MS = 5;
const JUDGED_MS = 50;
const TRIES = 5;

interface Failure {
  readonly target: string;
  readonly number: number;
  readonly words: string;
  readonly input: string;
  readonly shrunk: string;
}

export interface Report {
  readonly inputs: number;
  readonly failures: readonly Failure[];
  /** The longest that an input took in the quickest of its tries. */
  readonly slowestMs: number;
  readonly slowest: string;
  /** Inputs that took longer than the aim in each of their tries. */
  readonly overAim: number;
}

/** Failures that are reported at most: the first say enough. */
const FAILURES_MAX = 5;

/** The input of a number, and whom it is for. */
export function inputOf(seed: number, number: number): readonly [Target, Input] {
  const dice = new Dice(seed ^ Math.imul(number + 1, 0x9e37_79b1));
  let share = dice.below(100);
  const target = TARGETS.find((one) => (share -= one.share) < 0) ?? jsonMessages;
  return [target, target.generate(dice)];
}

export function runInputs(seed: number, from: number, count: number, step = 1): Report {
  const failures: Failure[] = [];
  let slowestMs = 0;
  let slowest = "";
  let overAim = 0;
  let inputs = 0;
  for (let number = from; number < from + count && failures.length < FAILURES_MAX; number += step) {
    const [target, input] = inputOf(seed, number);
    inputs += 1;
    const words = faultOf(target, input);
    const ms = tookMs(target, input);
    if (ms > slowestMs) [slowestMs, slowest] = [ms, `${target.name}, number ${number}`];
    if (ms > AIM_MS) overAim += 1;
    if (words !== null) {
      const shrunk = shrink(input, (one) => faultOf(target, one) !== null);
      const [whole, smaller] = [shown(input), shown(shrunk)];
      failures.push({ target: target.name, number, words, input: whole, shrunk: smaller });
    } else if (ms > JUDGED_MS) {
      const slow = `it takes ${ms.toFixed(0)} ms of a quiet core, and as long in every try`;
      failures.push({ target: target.name, number, words: slow, input: shown(input), shrunk: "" });
    }
  }
  return { inputs, failures, slowestMs, slowest, overAim };
}

/** The fault, in words; null when there is none. */
function faultOf(target: Target, input: Input): string | null {
  try {
    target.check(input);
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  return isTamperedWith() ? "a prototype isn't what it was" : null;
}

/**
 * How long decoding an input takes: the quickest of a few tries where that looks slow, and the time on a
 * quiet core where it would be judged.
 */
export function tookMs(target: Target, input: Input): number {
  let quickest = Infinity;
  for (let left = TRIES; quickest > AIM_MS && left > 0; left -= 1) {
    const began = performance.now();
    target.decode(input);
    quickest = Math.min(quickest, performance.now() - began);
  }
  return quickest > JUDGED_MS ? quickest / slowness(TRIES) : quickest;
}

/** Tries of one shrink at most. */
const SHRINKS_MAX = 500;

/** The same with pieces left out, as long as it still shows what it shows. */
export function shrink<Value extends Input>(
  input: Value,
  shows: (smaller: Value) => boolean,
): Value {
  let smallest = input;
  let tries = 0;
  for (let size = Math.ceil(input.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < smallest.length && tries < SHRINKS_MAX; tries += 1) {
      const smaller = without(smallest, at, size);
      if (shows(smaller)) smallest = smaller;
      else at += size;
    }
  }
  return smallest;
}

function without<Value extends Input>(input: Value, at: number, size: number): Value {
  if (typeof input === "string") return (input.slice(0, at) + input.slice(at + size)) as Value;
  return Uint8Array.from([...input.subarray(0, at), ...input.subarray(at + size)]) as Value;
}

function shown(input: Input): string {
  const text =
    typeof input === "string" ? JSON.stringify(input) : Buffer.from(input).toString("hex");
  return text.length > 2_000 ? `${text.slice(0, 2_000)}… (${text.length})` : text;
}
