/**
 * Waits as a subject, in a simulated world: times that come from an application, or from the other
 * side, over two minutes that take no time. Nobody may be asked more often than somebody at a pace.
 */
import { TailwireError } from "@tailwire/protocol";
import { type Dice, SimulatedClock, World } from "@tailwire/simulation";
import { alarmsRung, wordsOf } from "./alarms.ts";
import { alarmText } from "./hook-subject.ts";
import { type Odd, oddValue } from "./odd-values.ts";
import { pick } from "../target.ts";
import type { House, Played, Subject } from "./subject.ts";

const MINUTES_MS = 120_000;

/** Ten a second, which is more than any pace and less than any storm. */
const ASKED_MAX = 1_200;

/** Timers of one client and one node in that time, pings and backoffs included. */
const FIRED_MAX = 20_000;

/** Ends of a token, by the distance from now in milliseconds where that is a number. */
const ENDS: readonly (readonly [string, (now: number) => number])[] = [
  ...[-1, 0, 1, 10, 1_000, 5_000, 60_000, 86_400_000, 2 ** 31, 2_592_000_000].map(
    (ms) => [`in ${ms} ms`, (now: number) => now + ms] as const,
  ),
  ["in seconds", (now) => now / 1_000 + 60],
  ...[0, -1, 0.5, 2 ** 53, Number.NaN, Infinity, -Infinity].map(
    (end) => [`at ${end}`, () => end] as const,
  ),
];

/** The clock is the simulated one, but where this itself is tested. */
export function waitsSubject(newClock: () => SimulatedClock): Subject {
  return {
    name: "waits",
    share: 6,
    play: (_number, dice, house) =>
      dice.below(2) === 0
        ? playEnds(endOf(dice), newClock(), house)
        : playRefusals(againOf(dice), newClock(), house),
  };
}

export const waits = waitsSubject(() => new SimulatedClock());

interface Timed {
  readonly name: string;
  readonly make: (now: number) => number;
}

function endOf(dice: Dice): Timed {
  const [name, make] = pick(dice, ENDS) as (typeof ENDS)[number];
  return { name: `a token ends ${name}`, make };
}

function againOf(dice: Dice): Odd {
  const known = [0, 1, 5_000, 2 ** 31, 2 ** 53, Number.NaN, Infinity, -1, 0.5, null][
    dice.below(20)
  ];
  const odd = oddValue(dice);
  if (known === undefined) return { name: `again after ${odd.name}`, make: odd.make };
  return { name: `again after ${known} ms`, make: () => known };
}

/** Every token ends like that, the fresh ones too. */
async function playEnds(
  { name, make }: Timed,
  clock: SimulatedClock,
  house: House,
): Promise<Played> {
  const world = new World({
    clock,
    authenticate: (id) => ({ user: { id }, expiresAt: make(clock.now()) }),
  });
  let asked = 0;
  const getToken = (): string => {
    asked += 1;
    return "user";
  };
  const client = world.client("user", { getToken });
  return play(world, client, () => asked, name, "getToken", house);
}

/** Every publication is refused for now. */
async function playRefusals(
  { name, make }: Odd,
  clock: SimulatedClock,
  house: House,
): Promise<Played> {
  let asked = 0;
  const onPublish = (): never => {
    asked += 1;
    const details = {
      code: "busy",
      description: "Not now.",
      fault: "server",
      retry: true,
    } as const;
    throw Object.defineProperty(new TailwireError(details), "retryAfterMs", { value: make() });
  };
  const world = new World({ clock, channels: { "room:{id}": { onPublish } } });
  return play(world, world.client("user"), () => asked, name, "onPublish", house);
}

async function play(
  world: World,
  client: ReturnType<World["client"]>,
  asked: () => number,
  words: string,
  who: string,
  { alarms }: House,
): Promise<Played> {
  const faults: string[] = [];
  client
    .channel("room:{id}", { id: "1" })
    .publish("e", 1)
    .catch(() => undefined);
  // A second at a time: a storm is told of, not waited out.
  for (let at = 0; at < MINUTES_MS && faults.length === 0; at += 1_000) {
    const thrown = await world.advance(1_000).catch((error: unknown) => wordsOf(error));
    // A node that won't have such a token says so to its driver, which this world has none of.
    if (thrown !== undefined) {
      return {
        words,
        ending: "escaped",
        faults: who === "getToken" ? [] : [`it escapes: ${thrown}`],
      };
    }
    if (asked() > ASKED_MAX)
      faults.push(`${who} is asked ${asked()} times within ${at / 1_000 + 1} s`);
    else if (world.clock.fired > FIRED_MAX) faults.push("timers fire without end");
  }
  const { reason, state } = client.status;
  void client.close();
  await world.advance(10_000);
  await alarmsRung();
  const rang = alarms.take().map(alarmText);
  return { words, ending: reason ?? state, faults: [...faults, ...rang] };
}
