/**
 * The judge: runs every check beside one another, each with a deadline, and puts together what
 * they found and what their witnesses saw. It prints nothing.
 */
import { BINARY_CHECKS } from "./binary-checks.ts";
import { CLAUSES, UNJUDGED } from "./clauses.ts";
import { CONNECTION_CHECKS } from "./connection-checks.ts";
import { ENCODING_CHECKS } from "./encoding-checks.ts";
import { HANDSHAKE_CHECKS } from "./handshake-checks.ts";
import { PAGE_CHECKS } from "./page-checks.ts";
import { PUBLISHING_CHECKS } from "./publishing-checks.ts";
import { type Check, Stage, type Subject } from "./stage.ts";
import { SUBSCRIPTION_CHECKS } from "./subscription-checks.ts";
import { type Breach, Broken, CannotJudge } from "./verdict.ts";

export interface ClauseVerdict {
  readonly id: string;
  /** Null: it can't be judged on this server from outside. */
  readonly ok: boolean | null;
  readonly note: string;
}

export interface Judgement {
  readonly passed: number;
  readonly failed: number;
  readonly clauses: readonly ClauseVerdict[];
}

export const CHECKS: Readonly<Record<string, Check>> = {
  ...CONNECTION_CHECKS,
  ...HANDSHAKE_CHECKS,
  ...ENCODING_CHECKS,
  ...BINARY_CHECKS,
  ...SUBSCRIPTION_CHECKS,
  ...PAGE_CHECKS,
  ...PUBLISHING_CHECKS,
};

/** Checks at work at a time: few enough not to be a load. */
const AT_ONCE = 8;
/** For a check that goes on and on: each of its waits ends by the subject's patience. */
const DEADLINE_MS = 60_000;
const SLOW_DEADLINE_MS = 300_000;

interface Outcome {
  readonly verdict: ClauseVerdict;
  readonly breaches: readonly Breach[];
}

/**
 * Judges a server by every clause, or by some only. It throws nothing: what goes wrong is a
 * verdict.
 */
export async function judge(
  subject: Subject,
  only: readonly string[] = CLAUSES,
): Promise<Judgement> {
  const outcomes = new Map<string, Outcome>();
  // Checks that wait come first, so that the others run meanwhile.
  const queue = Object.entries(CHECKS).filter(([id]) => only.includes(id));
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [id, check] = next;
      outcomes.set(id, await run(id, check, subject));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const breaches = [...outcomes.values()].flatMap((outcome) => outcome.breaches);
  const wanted = CLAUSES.filter((id) => only.includes(id));
  const clauses = wanted.map((id) => judged(id, outcomes.get(id)?.verdict, breaches));
  const count = (ok: boolean): number => clauses.filter((clause) => clause.ok === ok).length;
  return { passed: count(true), failed: count(false), clauses };
}

/** A clause's own check may pass where a witness of another one's saw it broken. */
function judged(
  id: string,
  verdict: ClauseVerdict = { id, ok: null, note: UNJUDGED[id] ?? "has no check" },
  breaches: readonly Breach[],
): ClauseVerdict {
  const breach = breaches.find(({ clause }) => clause === id);
  return breach === undefined || verdict.ok === false
    ? verdict
    : { id, ok: false, note: breach.note };
}

async function run(id: string, check: Check, subject: Subject): Promise<Outcome> {
  const stage = new Stage(subject);
  try {
    const note = await withinDeadline(check(stage), subject.slow ? SLOW_DEADLINE_MS : DEADLINE_MS);
    return { verdict: { id, ok: true, note: note ?? "" }, breaches: stage.breaches };
  } catch (error) {
    const ok = error instanceof CannotJudge ? null : false;
    const note = error instanceof Error ? error.message : String(error);
    return { verdict: { id, ok, note }, breaches: stage.breaches };
  } finally {
    stage.end();
  }
}

/** The work's outcome. @throws Broken when it isn't done by then. */
export function withinDeadline<T>(work: Promise<T>, deadlineMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Broken(`not done within ${deadlineMs} ms`)),
      deadlineMs,
    );
    void work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
