/**
 * The three machines of a subscription, as tables. Diagrams are made from them, and tests walk every
 * cell.
 */
import type { StateTable } from "../support/machine.ts";

/** An application is shown it as `subscription.state`. */
export type LifeState =
  /** Not acknowledged yet, or the connection is lost. */
  | "pending"
  /** The server has acknowledged it. */
  | "active"
  /** For good. */
  | "closed";

export type LifeEvent = "acknowledged" | "suspended" | "ended";

export const LIFE_STATES: StateTable<LifeState, LifeEvent> = {
  pending: { acknowledged: "active", ended: "closed" },
  active: { suspended: "pending", ended: "closed" },
  closed: {},
};

/** Whether the end of the log was reached, as far as the application knows. */
export type ProgressState =
  /** Not since the last subscribe or gap. */
  | "behind"
  /** It was reached; the application is told when it has handled all before. */
  | "due"
  /** The application was told. */
  | "caught up";

export type ProgressEvent =
  /** `caughtup` has come off the wire. */
  | "reached"
  /** The application is told. */
  | "told"
  /** A gap, or the connection is lost. */
  | "reset";

export const PROGRESS_STATES: StateTable<ProgressState, ProgressEvent> = {
  behind: { reached: "due" },
  due: { told: "caught up", reset: "behind" },
  "caught up": { reset: "behind" },
};

/** The taker of publications. Notices (gaps, snapshots, `caughtup`) go to their own listeners. */
export type TakerState =
  /** Neither a listener nor a loop: publications wait, notices are told. */
  | "nobody"
  /** Listeners: each item is handed over as soon as the one before is done. */
  | "listeners"
  /** A loop that is at work on its last publication: everything waits. */
  | "loop"
  /** A loop that asks for the next one. */
  | "asking";

export type TakerEvent =
  | "listen"
  | "iterate"
  | "ask"
  /** No question of the loop is open any more. */
  | "answered";

export const TAKER_STATES: StateTable<TakerState, TakerEvent> = {
  nobody: { listen: "listeners", iterate: "loop" },
  listeners: { iterate: "loop" },
  loop: { ask: "asking" },
  asking: { answered: "loop" },
};
