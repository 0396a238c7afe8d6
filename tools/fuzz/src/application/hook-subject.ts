/** A hook as a subject: its scene is played on a stage, and what came of it is held against promises. */
import type { Dice } from "@tailwire/simulation";
import { type Alarm, alarmsRung, wordsOf } from "./alarms.ts";
import { CALLS_MAX, type Conduct, conductOf, failureOf } from "./conduct.ts";
import { type Fitness, fitnessOf } from "./fitness.ts";
import type { Answers, Hook, Meet } from "./hooks.ts";
import type { Answer, Peer } from "./peer.ts";
import { deedOf } from "./deeds.ts";
import type { Stage } from "./stage.ts";
import type { House, Played, Subject } from "./subject.ts";

/** Lines in the log of a call that fails, at most; and as many more for what follows from it. */
const LINES_MAX = 2;
const LINES_BESIDE = 6;

export function hookSubject(hook: Hook): Subject {
  return {
    name: hook.name,
    share: hook.share,
    play: async (number, dice, house) => {
      const stage = await house.stage(
        hook.stage ?? (dice.below(4) === 0 ? "standard error" : "kept log"),
      );
      const user = `u${number}`;
      const conduct = conductIn(hook, stage, user, dice);
      return playScene({ hook, stage, user, conduct, dice, house }).finally(() => stage.end());
    },
  };
}

function conductIn(hook: Hook, stage: Stage, user: string, dice: Dice): Conduct {
  const right = (): unknown => hook.right(dice, user);
  if (dice.below(12) === 0) return deedOf(dice, stage.tailwire, user, right);
  return hook.stage === "odd broker" ? failureOf(dice) : conductOf(dice, right());
}

interface Scenery {
  readonly hook: Hook;
  readonly stage: Stage;
  readonly user: string;
  readonly conduct: Conduct;
  readonly dice: Dice;
  readonly house: House;
}

async function playScene({ hook, stage, user, conduct, dice, house }: Scenery): Promise<Played> {
  const { alarms } = house;
  const peers: Peer[] = [];
  const packed = dice.below(4) === 0;
  const meet: Meet = (introduction) => {
    const peer = stage.peer({ packed, ...introduction });
    peers.push(peer);
    return peer;
  };
  stage.begin({ hook: hook.hook, user, conduct });
  const answers = await hook.converse(stage, user, meet, dice);
  await conduct.settled();
  for (const peer of peers) await peer.leave();
  await alarmsRung();
  const { words } = conduct;
  const malformed = peers.flatMap((peer) => peer.faults);
  // A process that has ended serves nobody: what else is missing follows from that.
  if (alarms.rang) {
    return { words, ending: "crashed", faults: [...alarms.take().map(alarmText), ...malformed] };
  }
  const witness = await stage.witness();
  const fitness = hook.decides ? fitnessOf(conduct, hook.judge) : toldFitness(conduct);
  const faults = [
    ...malformed,
    ...alarms.take().map(alarmText),
    ...hangs([...answers.decided, ...answers.others, ...(answers.beside ?? [])]),
    ...(conduct.calls > CALLS_MAX ? [`it is called ${conduct.calls} times`] : []),
    ...(conduct.isDeed ? [] : judged(hook, conduct, fitness, answers)),
    ...(hook.hook === "logger" ? [] : logFaults(hook, conduct, fitness, stage.logged)),
    ...(witness === null ? [] : [`the witness: ${witness}`]),
  ];
  return { words, ending: endingOf(answers.decided), faults };
}

/** A hook that is only told has nothing to give: an error is unfit, and a call that never ends is its own. */
function toldFitness(conduct: Conduct): Fitness {
  if (conduct.end !== "fails") return "either";
  return "unfit";
}

export function alarmText({ kind, error }: Alarm): string {
  return `${kind}: ${wordsOf(error)}`;
}

function hangs(answers: readonly Answer[]): readonly string[] {
  return answers.some(({ kind }) => kind === "nothing") ? ["a question is never answered"] : [];
}

/** Whether what was given was taken for what it is, and everything else went on. */
function judged(
  hook: Hook,
  conduct: Conduct,
  fitness: Fitness,
  { decided, others }: Answers,
): readonly string[] {
  const { decides, endsAll } = hook;
  if (conduct.calls === 0 && hook.stage !== "odd broker") return ["it isn't called"];
  const isTaken = decided.some(({ kind }) => kind === "ack");
  if (decides && isTaken && (fitness === "unfit" || fitness === "refusal")) {
    return [`what is ${fitness === "unfit" ? "unfit" : "a refusal"} is taken`];
  }
  const due = [
    ...(decides && fitness === "fit" && conduct.atOnce ? decided : []),
    ...(endsAll && fitness !== "fit" ? [] : others),
  ];
  // A malformed message has been told of, and nothing was heard after it.
  const refused = due.find(
    ({ kind, code }) => (kind === "error" || kind === "ended") && code !== "malformed",
  );
  if (refused === undefined) return [];
  return [`answered with ${refused.code ?? refused.kind}, though it has nothing to do with it`];
}

/** Whether somebody was told of a mistake: by name, and not for ever. */
function logFaults(
  { called, stage }: Hook,
  { calls, failures, end }: Conduct,
  fitness: Fitness,
  logged: readonly string[],
): readonly string[] {
  const max = LINES_MAX * Math.max(calls, failures) + LINES_BESIDE;
  if (logged.length > max) return [`${logged.length} lines are logged for ${calls} calls`];
  // A broker that never answers is away, and its clients are told so.
  if (fitness !== "unfit" || calls === 0 || (stage === "odd broker" && end === "never ends")) {
    return [];
  }
  if (logged.length === 0) return ["nothing is logged"];
  return logged.some((line) => called.test(line)) ? [] : ["no logged line says which hook it was"];
}

function endingOf(decided: readonly Answer[]): string {
  if (decided.every(({ kind }) => kind === "ack")) return "served";
  return decided.some(({ kind }) => kind === "nothing") ? "unanswered" : "refused";
}
