/** A subject: a part of the application's side, what odd inputs do to it, and what has to hold. */
import type { Client, ClientOptions } from "@tailwire/client";
import type { Dice } from "@tailwire/simulation";
import type { Alarms } from "./alarms.ts";
import type { Patience } from "./patience.ts";
import type { Create, Stage, StageKind } from "./stage.ts";

/** The maker of a client. */
export type CreateClient = (url: string, options?: ClientOptions) => Client;

/** The house that a subject is given to play an input with. */
export interface House {
  readonly create: Create;
  readonly createClient: CreateClient;
  readonly alarms: Alarms;
  readonly patience: Patience;
  /** A server that is used again for as long as nothing went wrong on it. */
  stage(kind: StageKind): Promise<Stage>;
}

/** The outcome of an input. */
export interface Played {
  /** The input, in words. */
  readonly words: string;
  /** How it ended for whom it concerned: `served`, `refused`, or what else it was. */
  readonly ending: string;
  /** The faults: each says what doesn't hold. */
  readonly faults: readonly string[];
}

export interface Subject {
  readonly name: string;
  /** How many of a hundred inputs are for it. */
  readonly share: number;
  play(number: number, dice: Dice, house: House): Promise<Played>;
}
