/**
 * Isolation: whether somebody who is a burden delays the others. It is tried when all is healed, since
 * only then it is sure who has no reason to wait: with a client that doesn't read, with one that asks
 * for far too much, and with channels that stand still on connections that have others too.
 */
import type { Cast } from "./cast.ts";
import { CHANNELS, type Stage } from "./stage.ts";

/** Publications beside a client that doesn't read: far more bytes than its buffers can take. */
const ROUNDS = 8;
const PADDING = 10_000;

/** The same in the other trials, and how often the client asks that asks for too much. */
const FEW_ROUNDS = 2;
const ASKED = 40;

/** Milliseconds of a healthy delivery beside the network's: one flush, and one that is put off. */
const FLUSH_MS = 50;

/** Until all of it has arrived wherever it isn't held up. */
const ARRIVE_MS = 2_000;

/** Channels whose hooks and listeners hang, in the last trial. */
const STUCK = ["room:1", "state:1"];

export async function tryIsolation(stage: Stage, cast: Cast): Promise<void> {
  await trySlowReader(stage, cast);
  await tryHostileSender(stage, cast);
  await tryStuckChannels(stage, cast);
}

async function trySlowReader(stage: Stage, cast: Cast): Promise<void> {
  const { world } = stage;
  const slow = world.links.find(({ isUp }) => isUp);
  if (slow === undefined) return;
  note(stage, world.deviceOf(slow)?.name ?? null, []);
  slow.stopReading();
  await publish(stage, cast, ROUNDS, stage.regime.isTiny ? 0 : PADDING);
  stage.witness.note({ type: "relief" });
  slow.startReading();
}

async function tryHostileSender(stage: Stage, cast: Cast): Promise<void> {
  const { world, witness, regime } = stage;
  const hostile = cast.intrude();
  hostile.request("echo");
  await world.advance(ARRIVE_MS);
  note(stage, hostile.name, []);
  for (let count = 0; count < ASKED; count += 1) {
    hostile.request("echo");
    hostile.read("room:2", {});
    if (!regime.isTiny) hostile.publish("begun:1", {});
  }
  await publish(stage, cast, FEW_ROUNDS, 0);
  witness.note({ type: "relief" });
  hostile.kill();
}

async function tryStuckChannels(stage: Stage, cast: Cast): Promise<void> {
  const { world, weather, witness, regime } = stage;
  note(stage, null, STUCK);
  weather.hooks = "hangs";
  for (const channel of STUCK) weather.stuck.add(channel);
  for (const player of cast.players) {
    player.request("echo");
    if (!regime.isTiny) player.publish("room:1", {});
  }
  await publish(stage, cast, FEW_ROUNDS, 0);
  witness.note({ type: "relief" });
  weather.hooks = "well";
  weather.stuck.clear();
  for (const player of cast.players) player.unstick();
  await world.advance(ARRIVE_MS);
}

function note({ witness, regime }: Stage, client: string | null, channels: string[]): void {
  const boundMs = FLUSH_MS + 4 * regime.delayMs;
  witness.note({ type: "burden", client, channels, boundMs });
}

async function publish(stage: Stage, cast: Cast, rounds: number, padding: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    for (const channel of CHANNELS) cast.publishAsServer(channel, padding);
    await stage.world.advance(ARRIVE_MS / rounds);
  }
  await stage.world.advance(ARRIVE_MS);
}
