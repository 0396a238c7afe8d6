/**
 * The application's side: its functions and options are odd, one input at a time, so that whatever
 * goes wrong belongs to the input that is being played.
 */
import { Dice } from "@tailwire/simulation";
import { Alarms } from "./alarms.ts";
import { HOOKS } from "./hooks.ts";
import { hookSubject } from "./hook-subject.ts";
import { attachOptions, closings, serverOptions } from "./server-options.ts";
import { Patience } from "./patience.ts";
import { type ApplicationReport, merged } from "./report.ts";
import { isTamperedWith } from "../prototypes.ts";
import { type Create, Stage, type StageKind } from "./stage.ts";
import type { CreateClient, House, Subject } from "./subject.ts";
import { clientOptions } from "./client-options.ts";
import { listeners } from "./listeners.ts";
import { tickets } from "./tickets.ts";
import { refusals, tokens } from "./tokens.ts";
import { waits } from "./waits.ts";

export const SUBJECTS: readonly Subject[] = [
  ...HOOKS.map(hookSubject),
  serverOptions,
  attachOptions,
  closings,
  tickets,
  tokens,
  refusals,
  listeners,
  waits,
  clientOptions,
];

export interface ApplicationOptions extends Made {
  readonly seed: number;
  readonly from: number;
  readonly count: number;
  readonly step?: number;
  readonly subjects?: readonly Subject[];
  /** Inputs with a fault after which it ends. */
  readonly faultyMax?: number;
  /** How long anything is waited for, in milliseconds. */
  readonly patienceMs?: number;
  /** Is told which input comes next. */
  readonly onInput?: (number: number) => void;
}

/** The product under test. */
type Made = Pick<House, "create" | "createClient">;

const PATIENCE_MS = 10_000;

/** How long what went wrong may go on to ring, in milliseconds. */
const AFTERMATH_MS = 50;

/** Inputs with a fault that a run goes on after: each may have cost all the patience there is. */
const FAULTY_MAX = 1_000;

export async function runApplication(options: ApplicationOptions): Promise<ApplicationReport> {
  const { seed, from, count, step = 1, subjects = SUBJECTS, patienceMs = PATIENCE_MS } = options;
  const { faultyMax = FAULTY_MAX } = options;
  using alarms = new Alarms();
  const house = new OneHouse(options, alarms, new Patience(patienceMs, alarms));
  const reports: ApplicationReport[] = [];
  let faulty = 0;
  try {
    for (let number = from; number < from + count && faulty < faultyMax; number += step) {
      options.onInput?.(number);
      const report = await playInput(seed, number, subjects, house);
      reports.push(report);
      if (report.findings.length === 0) continue;
      faulty += 1;
      await house.renew();
    }
  } finally {
    await house.renew();
  }
  return merged(reports);
}

/** An input depends on the seed and its number alone. */
async function playInput(
  seed: number,
  number: number,
  subjects: readonly Subject[],
  house: House,
): Promise<ApplicationReport> {
  const dice = new Dice(seed ^ Math.imul(number + 1, 0x9e37_79b1));
  let share = dice.below(subjects.reduce((sum, one) => sum + one.share, 0));
  const subject = subjects.find((one) => (share -= one.share) < 0) as Subject;
  const { words, ending, faults } = await subject.play(number, dice, house);
  const tampered = isTamperedWith() ? ["a prototype isn't what it was"] : [];
  return {
    inputs: 1,
    findings: [...new Set([...faults, ...tampered])].map((fault) => ({
      subject: subject.name,
      fault,
      number,
      words,
      count: 1,
    })),
    endings: { [`${subject.name}, ${ending}`]: 1 },
  };
}

class OneHouse implements House {
  readonly create: Create;
  readonly createClient: CreateClient;
  readonly alarms: Alarms;
  readonly patience: Patience;
  readonly #stages = new Map<StageKind, Stage>();

  constructor({ create, createClient }: Made, alarms: Alarms, patience: Patience) {
    this.create = create;
    this.createClient = createClient;
    this.alarms = alarms;
    this.patience = patience;
  }

  async stage(kind: StageKind): Promise<Stage> {
    let stage = this.#stages.get(kind);
    if (stage === undefined) {
      stage = new Stage({ create: this.create, patience: this.patience, kind });
      this.#stages.set(kind, stage);
      await stage.open();
    }
    return stage;
  }

  /** Ends all servers: whatever comes next begins on new ones. */
  async renew(): Promise<void> {
    const stages = [...this.#stages.values()];
    this.#stages.clear();
    for (const stage of stages) await stage.close();
    // Calls begun there may still fail, and the next inputs can't help it.
    if (stages.length > 0) await new Promise((resolve) => setTimeout(resolve, AFTERMATH_MS));
    this.alarms.take();
  }
}
