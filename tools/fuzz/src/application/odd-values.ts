/**
 * Odd values: what an application may give where something else was meant, by the names under which
 * they are reported. Each is made anew, since some change when they are looked at.
 *
 * They know no hook and no option; `nearly-right.ts` puts them into what would be right.
 */
import type { Dice } from "@tailwire/simulation";
import { pick } from "../target.ts";

export interface Odd {
  readonly name: string;
  readonly make: () => unknown;
}

const thrown = (): never => {
  throw new RangeError("odd: it throws when it is looked at");
};

/** An object that is waited for as if it were a promise. */
export function thenable(then: PropertyDescriptor): unknown {
  // oxlint-disable-next-line unicorn/no-thenable -- that is what is odd
  return Object.defineProperty({}, "then", then);
}

/** An object whose every trap throws. */
const throwing = (target: object): unknown =>
  new Proxy(
    target,
    Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((trap) => [trap, thrown])),
  );

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function cyclic(): unknown {
  const value: Record<string, unknown> = { list: [] };
  value["self"] = value;
  (value["list"] as unknown[]).push(value);
  return value;
}

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let left = depth; left > 0; left -= 1) value = left % 2 === 0 ? [value] : { value };
  return value;
}

/** Another value each time it is asked. */
function fickle(): unknown {
  let turn = 0;
  const next = (): unknown => [(turn += 1), "one", null, thrown][turn % 4];
  return Object.defineProperties(
    {},
    Object.fromEntries(
      ["id", "user", "data", "code", "length", "position", "offset"].map((name) => [
        name,
        { get: next, enumerable: true },
      ]),
    ),
  );
}

class Instance {
  readonly id = "instance";
  readonly #secret = 1;
  get secret(): number {
    return this.#secret;
  }
}

const LONG = "long ".repeat(20_000);

/** Values by their text, as a program would write them. */
const PLAIN: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  false: () => false,
  "0": () => 0,
  "-0": () => -0,
  NaN: () => Number.NaN,
  Infinity: () => Infinity,
  "-Infinity": () => -Infinity,
  "-1": () => -1,
  "1.5": () => 1.5,
  "2**31": () => 2 ** 31,
  "2**53": () => 2 ** 53,
  "30 days": () => 2_592_000_000,
  "1e21": () => 1e21,
  "5e-324": () => 5e-324,
  '""': () => "",
  '"0"': () => "0",
  "long text": () => LONG,
  "text with a newline": () => "odd\nvalue\r\n",
  "text with control characters": () => "odd\u0000\u001b[31m\u007f\u009b\u2028",
  "text with a lone surrogate": () => "odd\ud800",
  '"__proto__"': () => "__proto__",
  "1n": () => 1n,
  "Symbol()": () => Symbol("odd"),
  "a function": () => () => undefined,
  "a function that throws": () => thrown,
  "an async function": () => async () => undefined,
  "a class": () => Instance,
  "an instance": () => new Instance(),
};

/** Objects that a language has, and its programs hand about. */
const OBJECTS: Readonly<Record<string, () => unknown>> = {
  "{}": () => ({}),
  "[]": () => [],
  "new Date()": () => new Date(1_700_000_000_000),
  "an invalid Date": () => new Date(Number.NaN),
  "a RegExp": () => /odd/g,
  "a Map": () => new Map([["id", 1]]),
  "a Set": () => new Set([1]),
  "an Error": () => new Error("odd: an error as a value"),
  "an ArrayBuffer": () => new ArrayBuffer(8),
  "a Uint8Array": () => Uint8Array.of(1, 2, 255),
  "a Float32Array": () => Float32Array.of(1, Number.NaN),
  "a DataView": () => new DataView(new ArrayBuffer(4)),
  "a detached array": () => {
    const array = new Uint8Array(8);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    return array;
  },
  "a boxed number": () => Object(7) as unknown,
  "Object.create(null)": () => Object.create(null) as unknown,
  "a frozen object": () => Object.freeze({ user: Object.freeze({ id: "frozen" }) }),
  "an array with holes": () => {
    const array: unknown[] = [1];
    array[3] = 2;
    return array;
  },
  "an own __proto__": () => JSON.parse('{"__proto__":{"polluted":true},"id":"p"}') as unknown,
  "an own constructor": () => JSON.parse('{"constructor":{"prototype":{"polluted":1}}}') as unknown,
  'own "toString" and "valueOf"': () => ({ toString: 1, valueOf: 1 }),
  "a cycle": cyclic,
  "65 deep": () => nested(65),
  "10,000 deep": () => nested(10_000),
};

/** Objects that do something when they are looked at. */
const TRAPS: Readonly<Record<string, () => unknown>> = {
  "a getter that throws": () =>
    Object.defineProperty({ id: "g" }, "user", { get: thrown, enumerable: true }),
  "a fickle object": fickle,
  "a toString that throws": () => ({ toString: thrown }),
  "a toString that gives an object": () => ({ toString: () => ({}) }),
  "a toJSON that throws": () => ({ toJSON: thrown }),
  "a toJSON that gives undefined": () => ({ toJSON: () => undefined }),
  "a Symbol.toPrimitive that throws": () => ({ [Symbol.toPrimitive]: thrown }),
  "a then that throws": () => thenable({ value: thrown }),
  "a then whose getter throws": () => thenable({ get: thrown }),
  "a then that never calls back": () => thenable({ value: () => undefined }),
  "an iterator that throws": () => ({ [Symbol.iterator]: thrown }),
  "an error whose message throws": () => {
    const error = new Error("odd");
    // Asked for once, or it would be made of the message that throws.
    const { stack } = error;
    return Object.defineProperties(error, {
      message: { get: thrown },
      stack: { get: () => (stack === undefined ? "" : thrown()) },
    });
  },
  "an error whose message is an object": () =>
    Object.defineProperty(new Error("odd"), "message", { value: Object.create(null) as unknown }),
  "an error that causes itself": () => {
    const error = new Error("odd: it causes itself");
    error.cause = error;
    return error;
  },
  "a proxy that throws": () => throwing({}),
  "a proxied function that throws": () => throwing(() => undefined),
  "a proxied error that throws": () => throwing(new Error("odd")),
  "a revoked proxy": () => revoked({}),
  "a revoked array": () => revoked([]),
  "a revoked function": () => revoked(() => undefined),
};

const listed = (table: Readonly<Record<string, () => unknown>>): readonly Odd[] =>
  Object.entries(table).map(([name, make]) => ({ name, make }));

export const ODD_VALUES: readonly Odd[] = [PLAIN, OBJECTS, TRAPS].flatMap(listed);

export function oddValue(dice: Dice): Odd {
  return pick(dice, ODD_VALUES) as Odd;
}
