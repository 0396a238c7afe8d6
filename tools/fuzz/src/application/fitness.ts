/**
 * Fitness: whether what a hook gave is what its type asks for, as anybody who reads the type would
 * say. A value that can be read either way is the server's to decide.
 */
import { isDeepStrictEqual } from "node:util";
import { ChannelPattern, depthExceeds, PROTOCOL_LIMITS, TailwireError } from "@tailwire/protocol";
import type { Conduct } from "./conduct.ts";

/**
 * - `fit`: it is to be taken.
 * - `refusal`: it says no, or nothing, and is to be taken for a no.
 * - `unfit`: it is to be refused, and somebody is to be told whose mistake it is.
 * - `either`: it may be taken, or refused as unfit.
 */
export type Fitness = "fit" | "refusal" | "unfit" | "either";

/** Judges a given value. One that throws when it is judged is unfit. */
export type Judge = (value: unknown) => Fitness;

export function fitnessOf({ end, value }: Conduct, judge: Judge): Fitness {
  switch (end) {
    case "never ends":
      return "unfit";
    case "fails":
      return guarded(value.make, (error) => (error instanceof TailwireError ? "refusal" : "unfit"));
    case "gives": {
      // A value that is waited for, or that gives another answer each time, nobody can judge from outside.
      if (isWaitedFor(value.make)) return "either";
      return judgedSteadily(value.make, judge);
    }
    default:
      return end satisfies never;
  }
}

/** A judge's word about a value, if it stays the same: what changes when it is looked at is `either`. */
export function judgedSteadily(make: () => unknown, judge: Judge): Fitness {
  const value = make();
  const [first = "either", ...others] = [1, 2, 3, 4].map(() => guarded(() => value, judge));
  return others.every((word) => word === first) ? first : "either";
}

function guarded(make: () => unknown, judge: Judge): Fitness {
  try {
    return judge(make());
  } catch {
    return "unfit";
  }
}

/** Whether it is a promise or looks like one, or nobody can look: what it comes to is its own business. */
export function isWaitedFor(make: () => unknown): boolean {
  try {
    const value = make();
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
    return typeof (value as { then?: unknown }).then === "function";
  } catch {
    return true;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

/** The worst of several. */
function worst(words: readonly Fitness[]): Fitness {
  return (["unfit", "either"] as const).find((word) => words.includes(word)) ?? "fit";
}

/** Judges the result of `authenticate`, for a user of this id. */
export function judgeAuthenticated(value: unknown): Fitness {
  if (value === null || value === undefined || value === false) return "refusal";
  if (!isObject(value) || !isObject(value["user"])) return "unfit";
  return worst([
    judgeId(value["user"]["id"]),
    judgeEnd(value["expiresAt"]),
    judgeCapabilities(value["capabilities"]),
  ]);
}

function judgeId(id: unknown): Fitness {
  if (typeof id === "string") return /^[\w-]{1,64}$/.test(id) ? "fit" : "either";
  return typeof id === "number" || typeof id === "bigint" ? "either" : "unfit";
}

function judgeEnd(expiresAt: unknown): Fitness {
  if (expiresAt === undefined) return "fit";
  if (typeof expiresAt === "number") return Number.isNaN(expiresAt) ? "unfit" : "either";
  return expiresAt === null || expiresAt instanceof Date ? "either" : "unfit";
}

function judgeCapabilities(capabilities: unknown): Fitness {
  if (capabilities === undefined) return "fit";
  if (capabilities === null) return "either";
  if (!Array.isArray(capabilities)) return "unfit";
  return worst(
    (capabilities as readonly unknown[]).map((one) => {
      if (!isObject(one)) return "unfit";
      const { channel, actions } = one;
      if (typeof channel !== "string" || !isPattern(channel) || !Array.isArray(actions))
        return "unfit";
      const known = (action: unknown): boolean => action === "subscribe" || action === "publish";
      return actions.length > 0 && actions.every(known) ? "fit" : "either";
    }),
  );
}

function isPattern(text: string): boolean {
  try {
    return new ChannelPattern(text).pattern === text;
  } catch {
    return false;
  }
}

/** Judges the result of `authorize`: to say yes takes a yes. */
export function judgeDecision(value: unknown): Fitness {
  if (value === true) return "fit";
  return value ? "unfit" : "refusal";
}

/** Longer payloads may be over some limit. */
const LENGTH_MAX = 10_000;

/** Judges data to be logged of a publication, or a channel's state. */
export function judgePayload(value: unknown): Fitness {
  if (value instanceof Uint8Array) {
    // One that is empty may be one whose bytes were taken away.
    return value.length > 0 && value.length <= LENGTH_MAX ? "fit" : "either";
  }
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined || depthExceeds(text, PROTOCOL_LIMITS.depthMax)) return "unfit";
  if (text.length > LENGTH_MAX || text.includes("__proto__")) return "either";
  return isDeepStrictEqual(JSON.parse(text), value) ? "fit" : "either";
}

/** Judges the result of a request's handler: nothing is an answer, and bytes have no place in one. */
export function judgeAnswer(value: unknown): Fitness {
  if (value instanceof Uint8Array) return "either";
  return value === undefined ? "fit" : judgePayload(value);
}

export function judgeSnapshot(value: unknown): Fitness {
  if (!isObject(value)) return "unfit";
  return worst([judgePayload(value["data"]), judgePosition(value["position"])]);
}

/** One that looks right may be one that the log can't go on from. */
function judgePosition(position: unknown): Fitness {
  if (position === undefined) return "fit";
  if (position === null) return "either";
  if (!isObject(position)) return "unfit";
  const { epoch, offset, id } = position;
  const isRight =
    typeof epoch === "string" && Number.isSafeInteger(offset) && (offset as number) >= 0;
  return isRight && (id === null || typeof id === "string") ? "either" : "unfit";
}

/** An address can be anything that tells one from another. */
export function judgeAddress(value: unknown): Fitness {
  return typeof value === "string" && value !== "" ? "fit" : "either";
}

/** A hook that is only told may give anything. */
export function judgeNothing(): Fitness {
  return "fit";
}
