/**
 * Isolation: whether somebody who doesn't read delays the others. It is tried when all is healed,
 * since only then it is sure who has no reason to wait.
 */
import type { Cast } from "./cast.ts";
import { CHANNELS, type Stage } from "./stage.ts";

/** What is published meanwhile: far more than the buffers of who doesn't read can take. */
const ROUNDS = 8;
const PADDING = 20_000;

/** What a healthy delivery may take beside the ways there: a flush, and what is put off to a next one. */
const FLUSH_MS = 50;

/** Until all of it has arrived wherever it isn't held up. */
const ARRIVE_MS = 2_000;

/** Has one client stop reading, publishes, and notes how long the others waited for it at most. */
export async function tryIsolation({ world, witness, regime }: Stage, cast: Cast): Promise<void> {
  const slow = world.links.find(({ isUp }) => isUp);
  if (slow === undefined) return;
  const stuck = cast.players.find(({ device }) => world.linksFrom(device).includes(slow));
  const beganAt = new Map<string, number>();
  let longest = { sub: "nobody", ms: 0 };
  witness.told = (event) => {
    const at = world.clock.monotonic();
    if (event.type === "publish") beganAt.set(event.tag, at);
    if (event.type !== "delivery" || event.sub.startsWith(`${stuck?.name} `)) return;
    const ms = at - (beganAt.get(event.entry.tag) ?? at);
    if (ms > longest.ms) longest = { sub: event.sub, ms };
  };
  slow.stopReading();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const channel of CHANNELS) cast.publishAsServer(channel, regime.isTiny ? 0 : PADDING);
    await world.advance(ARRIVE_MS / ROUNDS);
  }
  await world.advance(ARRIVE_MS);
  witness.told = () => undefined;
  slow.startReading();
  witness.note({ type: "delayed", ...longest, bound: FLUSH_MS + 4 * regime.delayMs });
}
