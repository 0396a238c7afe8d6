/**
 * The judge of clients: each check has a client and a scripted server of its own. It prints nothing.
 */
import { CLAUSES } from "../clauses.ts";
import { type ClauseVerdict, type Judgement, withinDeadline } from "../judge.ts";
import { type Breach, CannotJudge } from "../verdict.ts";
import { ASKING_CHECKS } from "./asking-checks.ts";
import { CLIENT_CONNECTION_CHECKS } from "./connection-checks.ts";
import { type ClientCheck, Play } from "./play.ts";
import type { Starts } from "./program.ts";
import { CLIENT_PUBLISHING_CHECKS } from "./publishing-checks.ts";
import { READING_CHECKS } from "./reading-checks.ts";
import { REPEATING_CHECKS } from "./repeating-checks.ts";
import { RETURNING_CHECKS } from "./returning-checks.ts";
import { TOKEN_CHECKS } from "./token-checks.ts";
import { WAITING_CHECKS } from "./waiting-checks.ts";

/** Clauses and their checks. A clause may have several. */
export const CLIENT_CHECKS: readonly (readonly [id: string, check: ClientCheck])[] = [
  CLIENT_CONNECTION_CHECKS,
  WAITING_CHECKS,
  TOKEN_CHECKS,
  READING_CHECKS,
  RETURNING_CHECKS,
  ASKING_CHECKS,
  CLIENT_PUBLISHING_CHECKS,
  REPEATING_CHECKS,
].flatMap((checks) => Object.entries(checks));

/** Plays at a time: most of their time is waiting. */
const AT_ONCE = 6;
const PATIENCE_MS = 6_000;
const DEADLINE_MS = 40_000;

interface Outcome {
  readonly verdict: ClauseVerdict;
  readonly breaches: readonly Breach[];
}

/**
 * Judges a client by the clauses that bind clients, or by some of them. `patienceMs` is how long
 * anything may take before the client counts as silent.
 */
export async function judgeClient(
  starts: Starts,
  only: readonly string[] = CLAUSES,
  patienceMs = PATIENCE_MS,
): Promise<Judgement> {
  const queue = CLIENT_CHECKS.filter(([id]) => only.includes(id));
  const outcomes: Outcome[] = [];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [id, check] = next;
      outcomes.push(await run(id, check, () => Play.begin(starts, patienceMs)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const breaches = outcomes.flatMap((outcome) => outcome.breaches);
  const malformed = breaches.find(({ clause }) => clause === "MSG-1");
  const clauses = CLAUSES.flatMap((id): readonly ClauseVerdict[] => {
    if (id === "MSG-1" && only.includes(id) && outcomes.length > 0) {
      return [{ id, ok: malformed === undefined, note: malformed?.note ?? "" }];
    }
    const verdicts = outcomes.map(({ verdict }) => verdict).filter((verdict) => verdict.id === id);
    return verdicts.length === 0 ? [] : [joined(id, verdicts)];
  });
  const count = (ok: boolean): number => clauses.filter((clause) => clause.ok === ok).length;
  return { passed: count(true), failed: count(false), clauses };
}

/** One failed check fails the clause. A check that couldn't judge leaves it to the others. */
function joined(id: string, verdicts: readonly ClauseVerdict[]): ClauseVerdict {
  const [ok] = [false, true].filter((ok) => verdicts.some((one) => one.ok === ok));
  const notes = verdicts.filter((one) => one.ok !== true || ok === true).map(({ note }) => note);
  return { id, ok: ok ?? null, note: [...new Set(notes)].filter(Boolean).join("; ") };
}

async function run(id: string, check: ClientCheck, begin: () => Promise<Play>): Promise<Outcome> {
  const play = await begin();
  try {
    const note = await withinDeadline(check(play), DEADLINE_MS);
    return { verdict: { id, ok: true, note: note ?? "" }, breaches: play.server.breaches };
  } catch (error) {
    const ok = error instanceof CannotJudge ? null : false;
    const note = error instanceof Error ? error.message : String(error);
    return { verdict: { id, ok, note }, breaches: play.server.breaches };
  } finally {
    play.end();
  }
}
