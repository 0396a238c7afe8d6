// A channel's cursor on the wire: every state meets every event, and each state has its own manners.
import { type Ack, type Position, TailwireError } from "@tailwire/protocol";
import { describe, expect, test } from "vitest";
import { Scope } from "../../src/connection/scope.ts";
import { Subscription } from "../../src/following/subscription.ts";
import { WireSubscription } from "../../src/following/wire-subscription.ts";
import { WIRE_STATES, type WireEvent, type WireState } from "../../src/following/wire-states.ts";

const at = (offset: number): Position => ({ epoch: "log", offset, id: `p${offset}` });

const ENVELOPE = { id: "m", timestamp: 0 };

const UNSUBSCRIBED = {
  type: "unsubscribed",
  channel: "room:1",
  code: "removed",
  description: "",
  ...ENVELOPE,
} as const;

type Answered = (answer: Ack | TailwireError) => void;

/** A channel with one subscription at offset 5, and all that its cursor says. */
function stage() {
  const said: string[] = [];
  let answered: Answered = () => undefined;
  let isAsked = false;
  const soon: (() => void)[] = [];
  const timers = new Set<() => void>();
  const clock = {
    now: () => 0,
    monotonic: () => 0,
    soon: (callback: () => void) => void soon.push(callback),
    after: (_ms: number, callback: () => void) => {
      timers.add(callback);
      return () => void timers.delete(callback);
    },
  };
  const scope = new Scope(clock);
  const connection = {
    isOpen: false,
    scope,
    welcome: null,
    say: (message: { readonly type: string; readonly start?: unknown }, then?: Answered): void => {
      said.push(`${message.type} ${JSON.stringify(message.start)}`);
      answered = then ?? answered;
      isAsked = true;
    },
  };
  const wire = new WireSubscription(
    {
      connection,
      outbox: { noteEpoch: () => undefined, seen: () => undefined },
      complain: ({ code }) => void said.push(code),
      unsubscribe: () => void said.push("unsubscribe"),
      unused: () => void said.push("unused"),
    },
    "room:1",
  );
  const settle = (): void => {
    for (const callback of soon.splice(0)) callback();
  };
  const refuse = (retry: boolean): void =>
    answered(new TailwireError({ code: "no", description: "", fault: "server", retry }));
  const own = new Subscription(wire, { start: at(5) });
  const follow = (): void => {
    connection.isOpen = true;
    wire.join(own);
  };
  const acknowledge = (recovered: boolean, position = at(5)): void => {
    isAsked = false;
    answered({ type: "ack", re: "r", ...ENVELOPE, position, recovered });
  };
  const events: Record<WireEvent, () => void> = {
    subscribe: follow,
    subscribed: () => {
      connection.isOpen = true;
      wire.startedByServer(own, at(5));
    },
    ack: () => acknowledge(true),
    "gap first": () => acknowledge(false),
    gap: () =>
      wire.receive({
        type: "gap",
        channel: "room:1",
        ...ENVELOPE,
        reason: "trimmed",
        from: at(5),
        to: at(7),
        continuesAfter: at(7),
        lost: 2,
      }),
    released: () => wire.released(),
    over: () => {
      connection.isOpen = false;
      scope.end();
      wire.lost();
      connection.isOpen = true;
    },
    rest: () => {
      if (isAsked) refuse(true);
      else wire.unsubscribed({ ...UNSUBSCRIBED, retry: true });
    },
    rested: () => {
      for (const timer of Array.from(timers)) timer();
    },
  };
  return { wire, connection, own, said, events, acknowledge, settle, timers };
}

/** Events that lead to a state, from the first one. */
const WAYS: Record<WireState, readonly WireEvent[]> = {
  idle: [],
  asking: ["subscribe"],
  "owed a gap": ["subscribe", "gap first"],
  following: ["subscribe", "ack"],
  given: ["subscribed"],
  resting: ["subscribe", "rest"],
};

/** The messages that one more subscription, from further back, makes each of them send at once. */
const MANNERS: Record<WireState, readonly string[]> = {
  idle: [`subscribe ${JSON.stringify(at(2))}`],
  asking: [],
  "owed a gap": [],
  following: ["unsubscribe", `subscribe ${JSON.stringify(at(2))}`],
  given: ["unsubscribe", `subscribe ${JSON.stringify(at(2))}`],
  resting: [],
};

/** Events that can come in a state; a subscribe's answer comes only where one was sent. */
const POSSIBLE: Record<WireState, readonly WireEvent[]> = {
  idle: ["gap", "released", "over", "rested"],
  asking: ["ack", "gap first", "rest", "gap", "released", "over", "rested"],
  "owed a gap": ["gap", "rest", "released", "over", "rested"],
  following: ["gap", "rest", "released", "over", "rested"],
  given: ["gap", "rest", "released", "over", "rested"],
  resting: ["gap", "released", "over"],
};

describe("a cursor on the wire", () => {
  for (const state of Object.keys(WIRE_STATES) as WireState[]) {
    for (const event of POSSIBLE[state]) {
      const expected = WIRE_STATES[state][event] ?? state;
      test(`${state}: after ${event} it is ${expected}`, () => {
        const { wire, connection, said, events, settle, timers } = stage();
        for (const step of WAYS[state]) {
          events[step]();
          settle();
        }
        said.length = 0;
        events[event]();
        // A cursor that is released begins anew at once: its subscription is still there.
        const now = state === "given" && event === "released" ? "asking" : expected;
        settle();
        said.length = 0;
        expect(wire.isAsking).toBe(now !== "idle" && now !== "resting");
        expect(timers.size).toBe(now === "resting" ? 1 : 0);
        connection.isOpen = true;
        wire.join(new Subscription(wire, { start: at(2) }));
        settle();
        expect(said).toEqual(MANNERS[now]);
      });
    }
  }

  test("rests, and begins again when it has rested", () => {
    const { wire, said, events } = stage();
    events.subscribe();
    events.rest();
    said.length = 0;
    events.rested();
    expect([wire.isAsking, said]).toEqual([true, [`subscribe ${JSON.stringify(at(5))}`]]);
  });

  test("is idle after a refusal that is final, and nobody uses it", () => {
    const { wire, own, said, events } = stage();
    events.subscribed();
    wire.unsubscribed({ ...UNSUBSCRIBED, retry: false });
    expect([own.state, wire.isAsking, said.at(-1)]).toEqual(["closed", false, "unused"]);
  });

  for (const [recovered, epoch] of [
    [true, "another"],
    [false, "log"],
  ] as const) {
    test(`[SUB-3, DEL-7] an ack under another epoch, recovered ${recovered}, leaves it under ${epoch}`, () => {
      const { own, events, acknowledge, settle } = stage();
      events.subscribe();
      events.ack();
      settle();
      events.over();
      events.subscribe();
      acknowledge(recovered, { ...at(9), epoch: "another" });
      expect(own.received).toEqual({ ...at(5), epoch });
    });
  }

  test("[SUB-5] drops what comes of a cursor that was given up", () => {
    const { own, events, settle } = stage();
    events.subscribe();
    events.gap();
    settle();
    expect(own.received).toEqual(at(5));
  });
});
