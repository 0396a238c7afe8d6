/**
 * Conduct: how a function of the application behaves when it is called. It gives something or fails,
 * at once, late or never. Whether what it gives would do is for `fitness.ts` to say.
 */
import { TailwireError } from "@tailwire/protocol";
import type { Dice } from "@tailwire/simulation";
import { alarmsRung } from "./alarms.ts";
import { nearlyRight } from "./nearly-right.ts";
import { type Odd, oddValue, thenable } from "./odd-values.ts";
import { pick } from "../target.ts";

/** Calls in one scene that anybody may need: more are a loop. */
export const CALLS_MAX = 100;

/** How late what is late comes, in milliseconds. */
const LATE_MS = 2;

/** How it ends, for whoever called: with a value, with what was thrown, or not at all. */
type End = "gives" | "fails" | "never ends";

export interface Conduct {
  readonly words: string;
  readonly end: End;
  /** Whether it ends before any timer fires. */
  readonly atOnce: boolean;
  /** The value that it gives or throws, as of a call of its own. */
  readonly value: Odd;
  /** Behaves like that. @throws whatever is to be thrown. */
  run(): unknown;
  /** Whether it does something to the server: what follows from that is nobody's mistake. */
  readonly isDeed: boolean;
  /** How often it was called, and how often that ended in something thrown. */
  readonly calls: number;
  readonly failures: number;
  /** Resolves when it is called first. */
  readonly called: Promise<void>;
  /** Resolves when all that was begun has ended, and nothing began because of that. */
  settled(): Promise<void>;
}

interface Way {
  readonly words: string;
  readonly end: End;
  readonly atOnce: boolean;
  /** Late ones wait for `soon`: nobody else may hold a promise that is handed over. */
  readonly run: (value: unknown, soon: () => Promise<void>) => unknown;
}

const raise = (value: unknown): never => {
  throw value;
};

const gives = (words: string, run: Way["run"], atOnce = true): Way => ({
  words,
  end: "gives",
  atOnce,
  run,
});
const fails = (words: string, run: Way["run"], atOnce = true): Way => ({
  words,
  end: "fails",
  atOnce,
  run,
});

/** Usual ways stand here more often. */
const WAYS: readonly Way[] = [
  gives("returns", (value) => value),
  gives("returns", (value) => value),
  gives("returns", (value) => value),
  gives("resolves with", (value) => Promise.resolve(value)),
  gives("resolves late with", (value, soon) => soon().then(() => value), false),
  gives("returns a thenable of", (value) =>
    thenable({ value: (done: (one: unknown) => void) => done(value) }),
  ),
  fails("throws", raise),
  fails("throws", raise),
  fails("rejects with", async (value) => raise(value)),
  fails("rejects with", async (value) => raise(value)),
  fails("throws after an await", (value, soon) => soon().then(() => raise(value)), false),
  fails("returns a thenable that rejects with", (value) =>
    thenable({ value: (_done: unknown, fail: (one: unknown) => void) => fail(value) }),
  ),
];

const NEVER: Way = {
  words: "never settles",
  end: "never ends",
  atOnce: false,
  run: () => new Promise(() => undefined),
};

/** A conduct with the value `right` as it is, nearly as it is, or with something else altogether. */
export function conductOf(dice: Dice, right: unknown): Conduct {
  if (dice.below(16) === 0) return conduct(NEVER, { name: "", make: () => undefined });
  const way = pick(dice, WAYS) as Way;
  return conduct(way, way.end === "gives" ? givenValue(dice, right) : thrownValue(dice));
}

/** Fails, or never ends: for those whose answers have a suite of their own to judge them. */
export function failureOf(dice: Dice): Conduct {
  const failing = WAYS.filter(({ end }) => end === "fails");
  const way = dice.below(8) === 0 ? NEVER : (pick(dice, failing) as Way);
  return conduct(way, way === NEVER ? { name: "", make: () => undefined } : thrownValue(dice));
}

function givenValue(dice: Dice, right: unknown): Odd {
  const choice = dice.below(8);
  if (choice === 0) return { name: "what is right", make: () => right };
  return choice < 5 ? nearlyRight(dice, right) : oddValue(dice);
}

const REFUSAL = {
  code: "out_of_stock",
  description: "There is none left. Ask again tomorrow.",
  fault: "client",
  retry: false,
  retryAfterMs: 1_000,
} as const;

/** An application's own refusal, with something odd in one of its fields; an error; or anything. */
function thrownValue(dice: Dice): Odd {
  const choice = dice.below(4);
  if (choice === 0)
    return { name: "an Error", make: () => new Error("odd: the application failed") };
  if (choice > 1) return oddValue(dice);
  const { name, make } = dice.below(4) === 0 ? LONG_CODE : nearlyRight(dice, REFUSAL);
  return {
    name: `a TailwireError: ${name}`,
    make: () => {
      const error = new TailwireError(REFUSAL);
      const odd = make();
      // Reading the fields is what may throw: they are carried over unread.
      if (typeof odd === "object" && odd !== null) {
        for (const key of Object.keys(REFUSAL)) {
          const field = Object.getOwnPropertyDescriptor(odd, key) ?? { value: undefined };
          Object.defineProperty(error, key, field);
        }
      }
      return error;
    },
  };
}

const LONG_CODE: Odd = {
  name: "its code has 5,000 characters",
  make: () => ({ ...REFUSAL, code: "c".repeat(5_000) }),
};

/** A function that throws this at once. */
export function throwing(value: Odd): Conduct {
  return conduct(fails("throws", raise), value);
}

/** A function that behaves well, and does something to the server meanwhile. */
export function reentrant(words: string, deed: () => unknown, right: () => unknown): Conduct {
  const run = (): unknown => {
    deed();
    return right();
  };
  return conduct(gives(words, run), { name: "", make: right }, true);
}

function signal(): readonly [Promise<void>, () => void] {
  let call = (): void => undefined;
  const called = new Promise<void>((resolve) => (call = resolve));
  return [called, call];
}

function conduct(way: Way, value: Odd, isDeed = false): Conduct {
  const counts = { calls: 0, failures: 0 };
  const begun: Promise<unknown>[] = [];
  const [called, call] = signal();
  return {
    words: `${way.words} ${value.name}`.trim(),
    end: way.end,
    atOnce: way.atOnce,
    value,
    isDeed,
    get calls() {
      return counts.calls;
    },
    get failures() {
      return counts.failures;
    },
    run: () => {
      counts.calls += 1;
      call();
      if (way.end === "fails") counts.failures += 1;
      return way.run(value.make(), () => {
        const over = new Promise<void>((resolve) => setTimeout(resolve, LATE_MS));
        begun.push(over);
        return over;
      });
    },
    called,
    settled: async () => {
      while (begun.length > 0) {
        await Promise.all(begun.splice(0));
        await alarmsRung();
      }
    },
  };
}
