// The outbox: in every state of an entry, every event that can meet it there leads where its table says.
import {
  type Ack,
  type ClientCodec,
  type Encoded,
  jsonClientCodec,
  localError,
  TailwireError,
} from "@tailwire/protocol";
import { expect, test } from "vitest";
import { Scope } from "../../src/connection/scope.ts";
import {
  ENTRY_STATES,
  type EntryEvent,
  type EntryState,
} from "../../src/publishing/entry-states.ts";
import { Outbox } from "../../src/publishing/outbox.ts";

const POSITION = { epoch: "log", offset: 1, id: "p1" };

interface Line {
  readonly encode: (codec: ClientCodec) => Encoded;
  readonly onWrite?: (() => void) | undefined;
}

/** An outbox on a connection that a test opens, writes to and loses. */
class Stage {
  readonly outbox: Outbox;
  readonly answers = new Map<string, (answer: Ack | TailwireError) => void>();
  /** Messages that were written, as they went out. */
  readonly written: Record<string, unknown>[] = [];
  readonly outcomes: string[] = [];
  isOpen = false;
  #lines: Line[] = [];
  #lastId = 0;
  #timers: (() => void)[] = [];
  #now = 0;

  constructor(window = 4) {
    const clock = {
      now: () => this.#now,
      monotonic: () => this.#now,
      soon: (callback: () => void) => callback(),
      after: (_ms: number, callback: () => void) => {
        this.#timers.push(callback);
        return () => undefined;
      },
    };
    const limits = { messageBytesMax: 10_000, subscriptionsMax: 1, dedupeMs: 1_000, appendMs: 1 };
    const isOpen = (): boolean => this.isOpen;
    const connection = {
      answers: this.answers,
      limits: { ...limits, window },
      codec: jsonClientCodec,
      scope: new Scope(clock),
      get isOpen() {
        return isOpen();
      },
      nextId: () => `p${(this.#lastId += 1)}`,
      use: () => undefined,
      send: (line: Line) => void this.#lines.push(line),
    };
    this.outbox = new Outbox(clock, connection, () => undefined);
  }

  publish(channel = "room:1"): void {
    const published = this.outbox.publish(channel, "said", 1, {});
    published.then(
      () => this.outcomes.push("acknowledged"),
      (error: { code: string }) => this.outcomes.push(error.code),
    );
  }

  open(): void {
    this.isOpen = true;
    this.outbox.opened();
  }

  write(): void {
    for (const { encode, onWrite } of this.#lines.splice(0)) {
      const text = encode(jsonClientCodec);
      if (text !== "") this.written.push(JSON.parse(String(text)) as Record<string, unknown>);
      onWrite?.();
    }
  }

  /** The ids that were written since this was called last. */
  ids(): readonly unknown[] {
    this.write();
    return this.written.splice(0).map(({ id }) => id);
  }

  answer(id: string, answer: "ack" | "refusal" | "held"): void {
    const retry = answer === "held";
    const refusal = new TailwireError({ code: "no", description: "", fault: "server", retry });
    const ack = { type: "ack", id: "s", timestamp: 1, re: id, position: POSITION } as const;
    const answered = this.answers.get(id);
    this.answers.delete(id);
    answered?.(answer === "ack" ? ack : refusal);
  }

  /** The connection is lost, or closed for what was sent on it. */
  lose(isBlamed = false): void {
    if (isBlamed) this.outbox.blame("too_large");
    this.isOpen = false;
    this.answers.clear();
    this.#lines = [];
    this.open();
  }

  pass(ms: number): void {
    this.#now += ms;
    for (const callback of this.#timers.splice(0)) callback();
  }

  async settle(): Promise<readonly string[]> {
    await Promise.resolve();
    return this.outcomes;
  }
}

/** How an entry gets into a state. */
const PATHS: Readonly<Record<EntryState, readonly EntryEvent[]>> = {
  unsent: [],
  sent: ["write"],
  held: ["write", "held"],
  suspected: ["write", "blame"],
  "in doubt": ["write", "lost"],
  told: ["write", "seen"],
  acknowledged: ["write", "ack"],
  refused: ["write", "refusal"],
  indeterminate: ["write", "give up"],
};

/** Beside these, "condemn" takes three closes, and is told of below. */
const EVENTS: Readonly<Record<Exclude<EntryEvent, "condemn">, (stage: Stage) => void>> = {
  write: (stage) => {
    if (!stage.isOpen) stage.open();
    stage.pass(1);
    stage.write();
  },
  ack: (stage) => stage.answer("p1", "ack"),
  refusal: (stage) => stage.answer("p1", "refusal"),
  held: (stage) => stage.answer("p1", "held"),
  seen: (stage) => stage.outbox.seen("room:1", "p1", POSITION),
  lost: (stage) => stage.lose(),
  blame: (stage) => stage.lose(true),
  "give up": (stage) => stage.outbox.close(localError("closed")),
};

/** The outcome that a publisher has been told, once the client is closed. */
const TOLD: Readonly<Record<string, string>> = {
  told: "acknowledged",
  acknowledged: "acknowledged",
  refused: "closed",
  indeterminate: "indeterminate",
};

const CELLS = (Object.keys(PATHS) as EntryState[]).flatMap((state) =>
  (Object.keys(EVENTS) as (keyof typeof EVENTS)[]).map((event) => [state, event] as const),
);

test.each(CELLS)("an entry that is %s meets %s", async (state, event) => {
  const stage = new Stage();
  stage.publish();
  let expected: EntryState = "unsent";
  const meet = (one: EntryEvent): void => {
    EVENTS[one as keyof typeof EVENTS](stage);
    expected = ENTRY_STATES[expected][one] ?? expected;
  };
  for (const one of PATHS[state]) meet(one);
  expect(expected).toBe(state);
  // Nobody has seen what was never sent.
  if (state === "unsent" && event === "seen") return;
  meet(event);
  const isRefused =
    state === "refused" || ((expected as EntryState) === "refused" && event === "refusal");
  meet("give up");
  expect(await stage.settle()).toEqual([isRefused ? "no" : TOLD[expected]]);
});

test("[PUB-9] what may be in the log is repeated, and what certainly isn't comes as new", () => {
  const repeats = (path: readonly EntryEvent[]): boolean => {
    const stage = new Stage();
    stage.publish();
    for (const one of path) EVENTS[one as keyof typeof EVENTS](stage);
    stage.written.length = 0;
    stage.lose();
    stage.write();
    return stage.written[0]?.["repeat"] !== undefined;
  };
  expect(repeats([])).toBe(false);
  expect(repeats(["write"])).toBe(true);
  expect(repeats(["write", "held"])).toBe(false);
  expect(repeats(["write", "lost", "write", "held"])).toBe(true);
  expect(repeats(["write", "blame"])).toBe(true);
});

test("[CLOSE-6] one that was only on connections closed for it isn't in the log", async () => {
  const stage = new Stage();
  stage.publish();
  stage.open();
  for (let closes = 0; closes < 3; closes += 1) {
    stage.write();
    stage.lose(true);
  }
  expect(await stage.settle()).toEqual(["too_large"]);
});

test.each([0, 1, 2])(
  "[CLOSE-6] one that was lost otherwise after %d closes may be",
  async (after) => {
    const stage = new Stage();
    stage.publish();
    stage.open();
    for (let closes = 0; closes < 3; closes += 1) {
      stage.write();
      if (closes === after) {
        stage.lose();
        stage.write();
      }
      stage.lose(true);
    }
    expect(await stage.settle()).toEqual(["indeterminate"]);
  },
);

test("[CLOSE-6] once a suspect is given up, all others go, on every channel", async () => {
  const stage = new Stage();
  stage.publish();
  stage.publish("room:2");
  stage.publish("room:3");
  stage.open();
  for (const ids of [["p1", "p2", "p3"], ["p1", "p2", "p3"], ["p1"]]) {
    expect(stage.ids()).toEqual(ids);
    stage.lose(true);
  }
  expect(await stage.settle()).toEqual(["too_large"]);
  // The others were there at two closes as well.
  expect(stage.ids()).toEqual(["p2"]);
  stage.answer("p2", "ack");
  expect(stage.ids()).toEqual(["p3"]);
  stage.publish("room:4");
  expect(stage.ids()).toEqual([]);
  stage.answer("p3", "ack");
  expect(stage.ids()).toEqual(["p4"]);
});

test("[CLOSE-6] a suspect that has grown too old makes way for other channels", async () => {
  const stage = new Stage();
  stage.publish();
  stage.open();
  for (let closes = 0; closes < 2; closes += 1) {
    stage.write();
    stage.lose(true);
  }
  stage.publish("room:2");
  stage.publish("room:0");
  stage.write();
  stage.written.length = 0;
  stage.pass(1_000);
  stage.lose();
  expect(stage.ids()).toEqual(["p2", "p3"]);
  expect(await stage.settle()).toEqual(["indeterminate"]);
});

test("[PUB-15] the window counts what is answered behind the oldest", () => {
  const stage = new Stage(2);
  stage.open();
  for (let count = 0; count < 5; count += 1) stage.publish();
  expect(stage.ids()).toEqual(["p1", "p2"]);
  stage.answer("p2", "ack");
  expect(stage.ids()).toEqual([]);
  stage.answer("p1", "ack");
  expect(stage.ids()).toEqual(["p3", "p4"]);
});

test("[PUB-15] what is acknowledged by coming back, and may come again, isn't settled", () => {
  const stage = new Stage();
  stage.open();
  stage.publish();
  stage.write();
  stage.outbox.seen("room:1", "p1", POSITION);
  stage.publish();
  stage.write();
  expect(stage.written.map(({ settled }) => settled)).toEqual([0, 0]);
  stage.answer("p1", "ack");
  stage.publish();
  stage.write();
  expect(stage.written.at(-1)?.["settled"]).toBe(1);
});

test("[PUB-6, PUB-11] one that was told grows too old like the rest", () => {
  const stage = new Stage();
  stage.open();
  stage.publish();
  stage.write();
  stage.lose();
  stage.write();
  stage.answer("p1", "held");
  stage.outbox.seen("room:1", "p1", POSITION);
  stage.written.length = 0;
  stage.pass(999);
  expect(stage.ids()).toEqual([]);
  expect(stage.outbox.size).toBe(0);
});
