/** The real client's `getToken` as a subject, and refusals that may pass: what is tried again, and how often. */
import type { Client } from "@tailwire/client";
import { TailwireError } from "@tailwire/protocol";
import type { Dice } from "@tailwire/simulation";
import { alarmsRung } from "./alarms.ts";
import { type Conduct, conductOf, throwing } from "./conduct.ts";
import { isWaitedFor } from "./fitness.ts";
import { alarmText } from "./hook-subject.ts";
import { type Odd, oddValue } from "./odd-values.ts";
import { type Stage, TOKENS } from "./stage.ts";
import type { House, Played, Subject } from "./subject.ts";

/** Calls that a client may need for one publication before anybody notices. */
const CALLS_MAX = 10;

/** How long something that is called without end is given to show it, in milliseconds. */
const LINGER_MS = 60;

export const tokens: Subject = {
  name: "getToken",
  share: 6,
  play: async (number, dice, house) => {
    const stage = await house.stage("kept log");
    const user = `u${number}`;
    const token = (dice.below(4) === 0 ? TOKENS.far : TOKENS.right) + user;
    const conduct = conductOf(dice, token);
    const client = house.createClient(urlOf(stage), { getToken: () => conduct.run() as string });
    return tryIt(client, conduct, "room:{id}", house);
  },
};

/** `onPublish` refuses for now: the real client comes again, at a pace. */
export const refusals: Subject = {
  name: "a refusal for now",
  share: 2,
  play: async (number, dice, house) => {
    const stage = await house.stage("kept log");
    const user = `u${number}`;
    const conduct = throwing(refusalForNow(dice));
    stage.begin({ hook: "onPublish", user, conduct });
    const client = house.createClient(urlOf(stage), { getToken: () => TOKENS.right + user });
    return tryIt(client, conduct, "kept:{id}", house).finally(() => stage.end());
  },
};

const urlOf = ({ port }: Stage): string => `ws://127.0.0.1:${port}/tailwire`;

function refusalForNow(dice: Dice): Odd {
  const waits = [0, 1, 2 ** 31, 2_592_000_000, 2 ** 53, Number.NaN, Infinity, -1, 0.5];
  const chosen = waits[dice.below(2 * waits.length)];
  const { name, make } =
    chosen === undefined ? oddValue(dice) : { name: `${chosen} ms`, make: (): unknown => chosen };
  return {
    name: `"again after ${name}"`,
    make: () => {
      const details = {
        code: "busy",
        description: "Not now.",
        fault: "server",
        retry: true,
      } as const;
      return Object.defineProperty(new TailwireError(details), "retryAfterMs", { value: make() });
    },
  };
}

/** Publishes, waits for what comes of it, and takes it back. */
async function tryIt(
  client: Client,
  conduct: Conduct,
  pattern: "room:{id}" | "kept:{id}",
  { alarms, patience }: House,
): Promise<Played> {
  const { words } = conduct;
  const abort = new AbortController();
  let ending = "waits";
  const published = client
    .channel(pattern, { id: "1" })
    .publish("e", 1, { signal: abort.signal })
    .then(
      () => void (ending = "served"),
      () => void (ending = "refused"),
    );
  // A client that is refused for now comes again, and an application that never answers is waited for.
  const neverComes = conduct.end === "never ends" || isWaitedFor(conduct.value.make);
  const mayWait = pattern === "kept:{id}" || neverComes;
  const isOver = (): boolean => ending !== "waits" || client.status.reason !== null || mayWait;
  await patience.until(
    () => conduct.calls > 0 && isOver(),
    (look) => {
      void published.then(look);
      void conduct.called.then(look);
      client.onStatus(look);
    },
  );
  if (pattern === "kept:{id}") await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
  const { reason } = client.status;
  const calls = conduct.calls;
  abort.abort(new Error("enough"));
  client.close().catch(() => undefined);
  await conduct.settled();
  await alarmsRung();
  const rang = alarms.take().map(alarmText);
  const faults = [
    ...rang,
    ...(calls > CALLS_MAX ? [`it is called ${calls} times in no time`] : []),
    ...(rang.length === 0 && ending === "waits" && calls === 0 ? ["it isn't called"] : []),
  ];
  return {
    words,
    ending: ending === "waits" ? `waits, ${reason ?? "nothing is said"}` : ending,
    faults,
  };
}
