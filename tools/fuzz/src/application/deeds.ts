/** Deeds: what a hook may do to the server that has called it, before it gives what is right. */
import type { Dice } from "@tailwire/simulation";
import type { TailwireServer } from "@tailwire/server";
import { type Conduct, reentrant } from "./conduct.ts";
import { pick } from "../target.ts";

type Deed = (tailwire: TailwireServer, user: string) => unknown;

const DEEDS: Readonly<Record<string, Deed>> = {
  "publishes where it is published": (tailwire, user) =>
    tailwire.channel("kept:{id}", { id: user }).publish("again", { from: "a hook" }),
  "publishes elsewhere": (tailwire, user) =>
    tailwire.channel("room:{id}", { id: user }).publish("again", 1),
  "publishes a hundred times": (tailwire, user) =>
    Promise.all(
      Array.from({ length: 100 }, (_, turn) =>
        tailwire.channel("room:{id}", { id: user }).publish("again", turn),
      ),
    ),
  "disconnects the user": (tailwire, user) => tailwire.user(user).disconnect(),
  "unsubscribes the user": (tailwire, user) => {
    for (const id of [user, "elsewhere"]) tailwire.user(user).unsubscribe("room:{id}", { id });
  },
  "subscribes the user": (tailwire, user) => {
    for (const id of [user, "elsewhere"]) tailwire.user(user).subscribe("room:{id}", { id });
    tailwire.user(user).subscribe("state:{id}", { id: user });
  },
  "subscribes and unsubscribes the user": (tailwire, user) => {
    tailwire.user(user).subscribe("room:{id}", { id: user });
    tailwire.user(user).unsubscribe("room:{id}", { id: user });
  },
  "traces the user, and takes it back": (tailwire, user) =>
    tailwire.user(user).trace(() => undefined)(),
  "issues a ticket": (tailwire, user) => tailwire.ticket({ user: { id: user } }),
  "looks at the stats": (tailwire) => tailwire.stats(),
};

/** A hook that does right, and something else first. */
export function deedOf(
  dice: Dice,
  tailwire: TailwireServer,
  user: string,
  right: () => unknown,
): Conduct {
  const [words, deed] = pick(dice, Object.entries(DEEDS)) as [string, Deed];
  let isDone = false;
  const once = (): void => {
    // The deed may be why the function is called again.
    if (isDone) return;
    isDone = true;
    Promise.resolve(deed(tailwire, user)).catch(() => undefined);
  };
  return reentrant(words, once, right);
}
