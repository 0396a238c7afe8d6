/**
 * A regime: what a seed is made of. Which faults there are and how often, how many take part, and
 * how small the limits are: everything follows from the seed, and can be printed.
 */
import { Dice } from "../dice.ts";

/** Everything that goes wrong, one class each. */
export const FAULT_CLASSES = [
  "connect refused",
  "connect slow",
  "drop mid-message",
  "drop after send",
  "drop after answer",
  "half-open to server",
  "half-open to client",
  "delay",
  "jitter",
  "bandwidth",
  "late bytes",
  "offline",
  "clone",
  "restart with kept position",
  "restart with lost position",
  "restart with old position",
  "consumer stops",
  "consumer drips",
  "node crash",
  "node pause",
  "node cut from broker",
  "broker cut from node",
  "append answer lost",
  "append request lost",
  "broker slow",
  "broker restart",
  "log loses its end",
  "broker wiped",
  "trim",
  "push doubled",
  "push late",
  "push lost",
  "clock jump",
  "token expiry",
  "revocation",
  "removal",
  "disconnect",
  "auth slow",
  "auth fails",
  "hook throws",
  "hook hangs",
  "token hangs",
  "client sleep",
  "network away",
  "page left",
  "node closes",
  "stranger",
] as const;

export type FaultClass = (typeof FAULT_CLASSES)[number];

export interface Regime {
  readonly seed: number;
  readonly steps: number;
  readonly hosts: number;
  readonly players: number;
  /** Classes that are enabled, with their chance per step. */
  readonly rates: ReadonlyMap<FaultClass, number>;
  /** Buffers of a few bytes, retention of two, few ids remembered. */
  readonly isTiny: boolean;
  /** The logs are the shipped memory broker's; else those of a broker that loses more. */
  readonly isShipped: boolean;
  readonly dedupeMs: number;
  readonly delayMs: number;
}

/** Options of a run beside its seed, for shrinking and for a search by hand. */
export interface RunOptions {
  readonly steps?: number;
  /** Only these classes, of those that the seed enables. */
  readonly only?: readonly FaultClass[];
}

export const STEPS = 5_000;

/** Shares of seeds without faults, and with tiny limits. */
const CALM = 0.1;
const TINY = 0.1;

/** One seed in so many has the shipped memory broker. */
const SHIPPED_EVERY = 3;

/** Faults that there are at least, expected, where there are any. */
const FAULTS_MIN = 40;

export function regimeOf(seed: number, { steps = STEPS, only }: RunOptions = {}): Regime {
  const dice = new Dice(seed * 31 + 7);
  const isCalm = dice.fraction() < CALM;
  const isTiny = dice.fraction() < TINY;
  const share = 0.1 + dice.fraction() * 0.4;
  const rates = new Map<FaultClass, number>();
  for (const name of FAULT_CLASSES) {
    const isOn = dice.fraction() < share;
    const rate = 10 ** (-3.5 + dice.fraction() * 1.7);
    if (isOn && !isCalm) rates.set(name, rate);
  }
  if (!isCalm && rates.size === 0) rates.set("drop mid-message", 0.01);
  scale(rates, FAULTS_MIN / STEPS);
  if (only !== undefined)
    for (const name of FAULT_CLASSES) if (!only.includes(name)) rates.delete(name);
  return {
    seed,
    steps,
    hosts: 1 + dice.below(3),
    players: 2 + dice.below(4),
    rates,
    isTiny,
    isShipped: seed % SHIPPED_EVERY === 0,
    dedupeMs: isTiny ? 90_000 : 120_000,
    delayMs: 1 + dice.below(30),
  };
}

/** Makes faults more frequent where they would be too few. */
function scale(rates: Map<FaultClass, number>, least: number): void {
  let sum = 0;
  for (const rate of rates.values()) sum += rate;
  if (sum === 0 || sum >= least) return;
  for (const [name, rate] of rates) rates.set(name, (rate * least) / sum);
}

/** A regime in words, for whoever reads a failure. */
export function describe(regime: Regime): object {
  const rates = Object.fromEntries([...regime.rates].map(([name, rate]) => [name, round(rate)]));
  return { ...regime, rates };
}

function round(rate: number): number {
  return Number(rate.toPrecision(2));
}
