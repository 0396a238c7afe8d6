/** A row of the table of attacks: what is done to a server, and what must remain true meanwhile. */
import type { Stage } from "./stage.ts";

export interface Row {
  /** Its group is the letter that it begins with, as it is asked for: `B`, `B4`, `B4-pings`. */
  readonly id: string;
  /** The attack, in words. */
  readonly title: string;
  /** Does it, once. It may be called several times, each with a server that lives. */
  run(stage: Stage): Promise<Finding>;
}

/** The result of an attack. */
export interface Finding {
  readonly ok: boolean;
  /** The observation, or what was wrong. */
  readonly note: string;
}

/** A finding with the row's name. */
export interface Result extends Finding {
  readonly row: string;
}
