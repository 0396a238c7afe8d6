/**
 * One seed, from its first step to its judgement: a phase in which things go wrong, one in which all
 * is healed and everybody has to get what is theirs, and the end, when nothing may be left.
 */
import { check } from "../checker/checker.ts";
import type { HistoryEvent } from "../checker/history.ts";
import { Cast, USERS } from "./cast.ts";
import { type Census, inspect, inspectCounters, inspectLeft } from "./inspection.ts";
import { tryIsolation } from "./isolation.ts";
import { Mischief } from "./mischief.ts";
import { type FaultClass, regimeOf, type RunOptions } from "./regime.ts";
import { sightsOf } from "./sights.ts";
import { Storms } from "./storms.ts";
import { CHANNELS, ON_PURPOSE, Stage } from "./stage.ts";
import { Usher } from "./usher.ts";
import type { Violation } from "../checker/violation.ts";

export interface Outcome {
  readonly seed: number;
  readonly steps: number;
  readonly faults: number;
  readonly simulatedMs: number;
  readonly violations: readonly Violation[];
  /** The sights of the run: see `sights.ts`. */
  readonly seen: readonly string[];
  /** The same for the same seed and options. */
  readonly hash: string;
  readonly enabled: readonly FaultClass[];
  readonly history: readonly HistoryEvent[];
}

/** Until everybody has found out what has become of their connections, and has a new one. */
const HEAL_MS = 150_000;

/** Until everybody has what was published then. */
const SETTLE_MS = 45_000;

/** How long nothing is done, to see what fires nevertheless. */
const IDLE_MS = 60_000;

/** Until the last timer of those who have gone has fired. */
const END_MS = 200_000;

/** Timers of a client that does nothing, and of a node, in that time: pings, pongs, and looks at both. */
const IDLE_TIMERS = 150;

/** Steps between two inspections, which take longer. */
const INSPECT_EVERY = 3_000;

/** Steps between two looks at what connections hold. */
const LOOK_EVERY = 25;

/** Runs a seed and judges it. The same seed and options give the same, to the last event. */
export async function simulate(
  seed: number,
  options: RunOptions,
  census: Census,
): Promise<Outcome> {
  const regime = regimeOf(seed, options);
  const stage = new Stage(regime, USERS);
  const usher = new Usher(stage);
  const cast = new Cast(stage);
  const mischief = new Mischief(stage, cast);
  try {
    await misbehave(stage, cast, mischief, census);
    await heal(stage, cast, mischief, census);
    await end(stage, cast, usher, census);
  } catch (error) {
    stage.witness.note({ type: "crash", error: String((error as Error).stack ?? error) });
  }
  for (const error of stage.world.errors) noteError(stage, error);
  const { history, seen, hash } = stage.witness;
  for (const sight of sightsOf(history)) seen.add(sight);
  return {
    seed,
    steps: regime.steps,
    faults: mischief.count,
    simulatedMs: stage.world.clock.monotonic(),
    violations: check(history),
    seen: [...seen],
    hash,
    enabled: [...regime.rates.keys()],
    history,
  };
}

async function misbehave(
  stage: Stage,
  cast: Cast,
  mischief: Mischief,
  census: Census,
): Promise<void> {
  const { regime, dice, world } = stage;
  const storms = new Storms(stage);
  for (let step = 0; step < regime.steps; step += 1) {
    cast.act();
    mischief.step();
    await world.advance(pause(dice.fraction(), dice.fraction()));
    if (step % LOOK_EVERY === 0) {
      noteHeld(stage);
      storms.look(cast.players.length);
      world.forgetLinks();
      if (step < regime.steps / 4) cast.remember();
    }
    if (step % INSPECT_EVERY === INSPECT_EVERY - 1) inspect(stage, cast, census);
  }
}

/** Mostly a moment, sometimes long enough for things to time out. */
function pause(kind: number, share: number): number {
  if (kind < 0.7) return share * 50;
  if (kind < 0.965) return share * 250;
  return share * (kind < 0.997 ? 1_500 : 30_000);
}

async function heal(stage: Stage, cast: Cast, mischief: Mischief, census: Census): Promise<void> {
  const { world, witness } = stage;
  await mischief.loseLastPushes();
  mischief.heal();
  witness.note({ type: "healed" });
  await world.advance(HEAL_MS);
  for (const player of cast.players) player.noteStatus();
  // Before anything more is published, which would reveal that something before it is missing.
  witness.note({ type: "settled" });
  await tryIsolation(stage, cast);
  for (const channel of CHANNELS) cast.publishAsServer(channel);
  await world.advance(SETTLE_MS);
  noteHeld(stage);
  for (const player of cast.players) player.noteStatus();
  const waiting = cast.players.reduce((sum, player) => sum + player.waiting, 0);
  witness.note({ type: "left", what: "pages and requests without an answer", count: waiting });
  witness.note({ type: "settled" });
  const before = world.clock.fired;
  await world.advance(IDLE_MS);
  const timers = world.clock.fired - before;
  const bound = IDLE_TIMERS * (cast.players.length + world.hosts.length);
  witness.note({ type: "stormed", what: "timers", count: timers, bound });
  inspect(stage, cast, census);
}

/** Everybody leaves, and nothing may be left. */
async function end(stage: Stage, cast: Cast, usher: Usher, census: Census): Promise<void> {
  const { world, witness, broker, lines } = stage;
  const left = (what: string, count: number): void => witness.note({ type: "left", what, count });
  for (const player of cast.players) {
    const { device } = player;
    void player.close().then(() => left("timers of a client that is closed", device.pending));
  }
  await world.advance(END_MS);
  for (const { node } of world.hosts) {
    left("connections", node.connections);
    left("subscriptions", node.subscriptions);
    left("channels", node.channels);
    left("deadlines", node.deadlines.size);
  }
  inspectLeft(stage, cast, census);
  inspectCounters(stage, usher);
  for (const line of lines.values()) left("tails of nodes", line.tails);
  left("listeners at the broker", broker.listeners);
  broker.close();
  left("timers", world.clock.pending);
}

/** Looks at what each connection makes its node hold. */
function noteHeld({ world, witness }: Stage): void {
  const { controlBytesMax, requestBytesMax, messageBytesMax } = world.limits;
  // A batch is taken whole, and each of its messages counts for more than it brings.
  const bound = controlBytesMax + requestBytesMax + 2 * messageBytesMax + 65_536;
  for (const { connection } of world.links) {
    const bytes = connection?.heldBytes ?? 0;
    if (bytes > bound) witness.note({ type: "held", what: "a connection", bytes, bound });
    if (bytes > controlBytesMax) witness.see("a connection holds more than it may, for a moment");
  }
}

/** Notes an error that a node logged, except those that the simulated application made on purpose. */
function noteError({ witness }: Stage, logged: object): void {
  const { error } = logged as { readonly error?: unknown };
  // Without an error it is a hook that took too long, which the weather has seen to.
  if (!(error instanceof Error)) return;
  const { message: text, cause } = error;
  if (text.startsWith(ON_PURPOSE)) return;
  const because = cause instanceof Error ? `, because of ${cause.message}` : "";
  witness.note({ type: "crash", error: `a node logged: ${text}${because}` });
}
