/** Tickets as a subject: one is issued for what nobody can be, and shown. */
import type { Authenticated } from "@tailwire/server";
import { alarmsRung } from "./alarms.ts";
import { type Fitness, judgeAuthenticated, judgedSteadily } from "./fitness.ts";
import { alarmText } from "./hook-subject.ts";
import { nearlyRight } from "./nearly-right.ts";
import { type Odd, oddValue } from "./odd-values.ts";
import { refusalFaults } from "./server-options.ts";
import { RIGHT_ANSWERS, type Stage } from "./stage.ts";
import type { House, Played, Subject } from "./subject.ts";
import { pick } from "../target.ts";

const RIGHT: Odd = { name: "what is right", make: () => ({ origin: "http://127.0.0.1" }) };

export const tickets: Subject = {
  name: "ticket",
  share: 5,
  play: async (number, dice, house) => {
    const right = pick(dice, RIGHT_ANSWERS)?.(`u${number}`);
    const isOptions = dice.below(4) === 0;
    const odd =
      dice.below(4) === 0 ? oddValue(dice) : nearlyRight(dice, isOptions ? RIGHT.make() : right);
    const given = odd.make();
    const stage = await house.stage("kept log");
    const words = `${isOptions ? "options" : "authenticated"}: ${odd.name}`;
    let ticket: unknown;
    try {
      const [who, options] = isOptions ? [right, given] : [given, undefined];
      ticket = stage.tailwire.ticket(who as Authenticated, options as { readonly origin?: string });
    } catch (error) {
      return { words, ending: "refused", faults: refusalFaults(error) };
    }
    return show(
      String(ticket),
      words,
      isOptions ? "either" : judgedSteadily(odd.make, judgeAuthenticated),
      stage,
      house,
    );
  },
};

async function show(
  ticket: string,
  words: string,
  fitness: Fitness,
  stage: Stage,
  { alarms }: House,
): Promise<Played> {
  stage.logged.length = 0;
  const peer = stage.peer({ path: `/tailwire?ticket=${ticket}` });
  const isWelcome = await peer.greet();
  const echoed = isWelcome ? await peer.ask({ type: "request", name: "echo", data: 1 }) : null;
  await peer.leave();
  await alarmsRung();
  if (alarms.rang) return { words, ending: "crashed", faults: alarms.take().map(alarmText) };
  const witness = await stage.witness();
  const faults = [
    ...peer.faults,
    ...((isWelcome ? echoed?.kind === "nothing" : peer.end === null)
      ? ["it is never answered"]
      : []),
    ...(isWelcome && (fitness === "unfit" || fitness === "refusal")
      ? ["what is unfit is let in"]
      : []),
    ...(!isWelcome && fitness === "fit"
      ? [`it is told ${peer.end ?? "nothing"}, though nothing is wrong`]
      : []),
    ...(fitness === "unfit" && stage.logged.length === 0 ? ["nothing is logged"] : []),
    ...alarms.take().map(alarmText),
    ...(witness === null ? [] : [`the witness: ${witness}`]),
  ];
  return { words, ending: isWelcome ? "let in" : "turned away", faults };
}
