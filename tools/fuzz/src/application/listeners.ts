/**
 * The client's listeners as a subject, in a simulated world: one of them is odd, and those beside it
 * have to hear what they would hear without it.
 *
 * An error that a listener throws is shown where the platform shows uncaught errors: once for each
 * call that fails, neither more nor less.
 */
import type { Client, Publication, Subscription } from "@tailwire/client/core";
import { World } from "@tailwire/simulation";
import { type Alarm, alarmsRung, wordsOf } from "./alarms.ts";
import { CALLS_MAX, type Conduct, conductOf, reentrant } from "./conduct.ts";
import { alarmText } from "./hook-subject.ts";
import type { Played, Subject } from "./subject.ts";
import { pick } from "../target.ts";

/** How each is registered, on what the odd one listens to. */
const REGISTER = {
  on: ({ subscription }, listener) => subscription.on("e", listener),
  onGap: ({ subscription }, listener) => subscription.onGap(listener),
  onSnapshot: ({ subscription }, listener) => subscription.onSnapshot(listener),
  onCaughtUp: ({ subscription }, listener) => subscription.onCaughtUp(listener),
  onEnd: ({ subscription }, listener) => subscription.onEnd(listener),
  onStatus: ({ client }, listener) => client.onStatus(listener),
  onSubscribed: ({ client }, listener) => client.onSubscribed(listener),
} as const satisfies Record<string, Register>;

type Register = (seat: Seat, listener: () => void) => () => void;
type Name = keyof typeof REGISTER;

/** Where listeners are registered. */
interface Seat {
  readonly client: Client;
  readonly subscription: Subscription;
}

const NAMES = Object.keys(REGISTER) as readonly Name[];

/** Deeds that a listener may do to the client that calls it. */
const DEEDS: Readonly<Record<string, Deed>> = {
  "stops itself and registers anew": (_seat, again) => again(),
  "closes the subscription": ({ subscription }) => subscription.close(),
  "closes the client": ({ client }) => client.close(),
  publishes: ({ client }) => client.channel("feed:{id}", { id: "9" }).publish("e", 1),
  "subscribes once more": ({ client }) => client.channel("room:{id}", { id: "1" }).subscribe(),
  "goes offline and online": ({ client }) => {
    client.goOffline();
    client.goOnline();
  },
  "connects now": ({ client }) => client.retryNow(),
};

/** How often each listener beside the odd one was called. */
type Tally = Record<Name, number>;

/** The same for every input, so it is heard once. */
let undisturbed: Promise<Tally> | null = null;

/** The layer between the client and the odd listener: nothing, but where this itself is tested. */
export type Wrap = (listener: () => unknown) => () => unknown;

export function listenersSubject(wrap: Wrap): Subject {
  return {
    name: "the client's listeners",
    share: 10,
    play: async (_number, dice, { alarms }): Promise<Played> => {
      const name = pick(dice, NAMES) as Name;
      const [words, deed] = pick(dice, Object.entries(DEEDS)) as [string, Deed];
      const isDeed = dice.below(4) === 0;
      const conduct = conductOf(dice, undefined);
      const odd = isDeed ? deedOf(name, words, deed) : { name, conduct, attach: () => undefined };
      undisturbed ??= converse(null, wrap);
      const expected = await undisturbed;
      const heard = await converse(odd, wrap).catch(
        (error: unknown) => `it escapes into the client: ${wordsOf(error)}`,
      );
      await odd.conduct.settled();
      await alarmsRung();
      const { calls } = odd.conduct;
      const isOver = isDeed && words === "closes the client";
      return {
        words: `${name} ${odd.conduct.words}`,
        ending: typeof heard === "string" ? "escaped" : "went on",
        faults: [
          ...surfaceFaults(odd.conduct, alarms.take()),
          ...(calls > CALLS_MAX ? [`it is called ${calls} times`] : []),
          ...(typeof heard === "string" ? [heard] : []),
          ...(typeof heard === "string" || isOver ? [] : tallyFaults(expected, heard, isDeed)),
        ],
      };
    },
  };
}

export const listeners = listenersSubject((listener) => listener);

type Deed = (seat: Seat, again: () => void) => unknown;

interface Odd {
  readonly name: Name;
  readonly conduct: Conduct;
  /** Is told where it is registered. */
  attach(seat: Seat, stop: () => void): void;
}

function deedOf(name: Name, words: string, deed: Deed): Odd {
  let seat: Seat | null = null;
  let stop: (() => void) | null = null;
  let turns = 0;
  const conduct = reentrant(
    words,
    () => {
      // A loop without end would never come to be told of.
      if (seat === null || (turns += 1) > 2 * CALLS_MAX) return;
      const here = seat;
      const again = (): void => {
        stop?.();
        stop = REGISTER[name](here, () => void conduct.run());
      };
      // Only registering anew is done each time: what else it does may be why it is called.
      if (words.startsWith("stops") || turns === 1) {
        Promise.resolve(deed(here, again)).catch(() => undefined);
      }
    },
    () => undefined,
  );
  return {
    name,
    conduct,
    attach: (where, off) => {
      seat = where;
      stop = off;
    },
  };
}

/** A conversation in which every listener is called. */
async function converse(odd: Odd | null, wrap: Wrap): Promise<Tally> {
  const world = new World({
    channels: { "room:{id}": { snapshot: () => ({ data: "state" }) }, "feed:{id}": {} },
  });
  const client = world.client("odd");
  const publisher = world.client("publisher");
  const room = client.channel("room:{id}", { id: "1" });
  const [subscription, beside] = [room.subscribe(), room.subscribe()];
  const tally = Object.fromEntries(NAMES.map((name) => [name, 0])) as Tally;
  const besides: Publication[] = [];
  for (const name of NAMES) {
    REGISTER[name]({ client, subscription: beside }, () => void (tally[name] += 1));
  }
  beside.on("e", (publication) => void besides.push(publication));
  if (odd !== null) {
    const seat = { client, subscription };
    odd.attach(
      seat,
      REGISTER[odd.name](
        seat,
        wrap(() => odd.conduct.run()),
      ),
    );
  }
  const publish = async (): Promise<void> => {
    await world.outcome(publisher.channel("room:{id}", { id: "1" }).publish("e", besides.length));
  };
  const settle = (): Promise<void> => world.advance(200);
  await settle();
  for (let left = 3; left > 0; left -= 1) await publish();
  world.node.subscribe("odd", "feed:1");
  await settle();
  // The log is made anew: a gap, and the state once more.
  world.crash();
  await world.advance(5_000);
  await publish();
  await settle();
  world.node.unsubscribe("odd", "room:1");
  await settle();
  await world.advance(5_000);
  void client.close();
  void publisher.close();
  await world.advance(6_000);
  return tally;
}

/** Failures are shown, each call once. */
function surfaceFaults(
  { calls, failures, value, end }: Conduct,
  alarms: readonly Alarm[],
): readonly string[] {
  const shown = alarms.filter(({ kind }) => kind === "unhandled rejection");
  const others = alarms.filter(({ kind }) => kind !== "unhandled rejection").map(alarmText);
  // A thenable may fail or not, whatever it was given as.
  const most = end === "gives" && isObject(value.make()) ? calls : failures;
  if (shown.length < failures)
    return [...others, `${shown.length} of ${failures} failures are shown`];
  if (shown.length > most)
    return [...others, `${shown.length} errors are shown for ${most} failures`];
  return others;
}

const isObject = (value: unknown): boolean =>
  (typeof value === "object" && value !== null) || typeof value === "function";

/** Nobody beside the odd one hears less; with a deed, somebody may hear more. */
function tallyFaults(expected: Tally, heard: Tally, isDeed: boolean): readonly string[] {
  return NAMES.filter((name) => name !== "onStatus")
    .filter((name) => (isDeed ? heard[name] < expected[name] : heard[name] !== expected[name]))
    .map((name) => `${name} beside it is called ${heard[name]} times instead of ${expected[name]}`);
}
