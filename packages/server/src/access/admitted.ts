/**
 * Somebody who was let in: what `authenticate` gave, or a ticket was made for, checked once and kept as it
 * was then. The application may go on to change what it gave, or give what changes each time it is read.
 *
 * It doesn't know a connection, nor what time it is.
 */
import { ChannelPattern } from "@tailwire/protocol";
import type { Action, User } from "../application.ts";
import { convertGiven, inWords, Mistake } from "../support/mistake.ts";
import { errorOf } from "../support/thrown.ts";

export interface Grant {
  readonly pattern: ChannelPattern;
  readonly actions: ReadonlySet<Action>;
}

export class Admitted {
  /** The application's own object, for its own eyes. */
  readonly user: User;
  readonly userId: string;
  /** Unix milliseconds; Infinity where the token doesn't end. */
  readonly expiresAt: number;
  /** Null where the token doesn't say what it grants. */
  readonly grants: readonly Grant[] | null;

  private constructor(
    user: User,
    userId: string,
    expiresAt: number,
    grants: readonly Grant[] | null,
  ) {
    this.user = user;
    this.userId = userId;
    this.expiresAt = expiresAt;
    this.grants = grants;
  }

  /**
   * Whom a function of the application named. Null: nobody, which `undefined`, `null` and `false` say.
   *
   * @throws Mistake for everything else that isn't `Authenticated`.
   */
  static by(hook: string, given: unknown): Admitted | null {
    if (given instanceof Admitted) return given;
    if (given === undefined || given === null || given === false) return null;
    return convertGiven(hook, () => {
      const fields = new Fields(hook);
      const { user, expiresAt, capabilities } = fields.table("the answer", given, ANSWER);
      const { id } = fields.table("user", user, "an object with an id");
      if (typeof id !== "string" || id === "") throw fields.unfit("user.id", id, "text");
      const end = endOf(fields, expiresAt);
      return new Admitted(user as User, id, end, grantsOf(fields, capabilities));
    });
  }
}

const ANSWER = "{ user: { id } }, or null to refuse";

/** Looks into what a function of the application gave. */
class Fields {
  readonly #hook: string;

  constructor(hook: string) {
    this.#hook = hook;
  }

  table(field: string, given: unknown, wanted: string): Readonly<Record<string, unknown>> {
    if (typeof given === "object" && given !== null && !Array.isArray(given)) {
      return given as Readonly<Record<string, unknown>>;
    }
    throw this.unfit(field, given, wanted);
  }

  list(field: string, given: unknown): readonly unknown[] {
    if (Array.isArray(given)) return [...(given as unknown[])];
    throw this.unfit(field, given, "an array");
  }

  pattern(field: string, given: unknown): ChannelPattern {
    if (typeof given !== "string") throw this.unfit(field, given, "text");
    try {
      return new ChannelPattern(given);
    } catch (thrown) {
      throw new Mistake(this.#hook, `${this.#hook}: ${field}: ${errorOf(thrown).message}`);
    }
  }

  unfit(field: string, given: unknown, wanted: string): Mistake {
    const hook = this.#hook;
    return new Mistake(hook, `${hook}: ${field} is ${inWords(given)}, expected ${wanted}`);
  }
}

/** An end before 1973 is one in seconds. */
const MS_MIN = 1e11;

function endOf(fields: Fields, given: unknown): number {
  const end = given instanceof Date ? given.getTime() : given;
  if (end === undefined) return Infinity;
  if (typeof end !== "number" || Number.isNaN(end)) {
    throw fields.unfit("expiresAt", end, "Unix milliseconds, or to be left out");
  }
  if (end < MS_MIN) {
    throw fields.unfit("expiresAt", end, "Unix milliseconds: it looks like seconds");
  }
  // A time beyond the integers that a message can carry is never reached by a clock.
  return end > Number.MAX_SAFE_INTEGER ? Infinity : Math.floor(end);
}

const ACTIONS: ReadonlySet<unknown> = new Set<Action>(["subscribe", "publish"]);

function grantsOf(fields: Fields, given: unknown): readonly Grant[] | null {
  if (given === undefined) return null;
  return fields.list("capabilities", given).map((one, index) => {
    const field = `capabilities.${index}`;
    const { channel, actions } = fields.table(field, one, "{ channel, actions }");
    const pattern = fields.pattern(`${field}.channel`, channel);
    const wanted = fields.list(`${field}.actions`, actions);
    for (const action of wanted) {
      if (ACTIONS.has(action)) continue;
      throw fields.unfit(`one of ${field}.actions`, action, '"subscribe" or "publish"');
    }
    return { pattern, actions: new Set(wanted as readonly Action[]) };
  });
}
