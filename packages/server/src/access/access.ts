/**
 * Permissions of one connection: the application's `authorize`, the grants that came with a token,
 * and the decisions so far. It knows channels by name only, and no connection.
 */
import { tailwireError } from "@tailwire/protocol";
import type { Admitted } from "./admitted.ts";
import type { ChannelRule, ChannelRules } from "./channel-rules.ts";
import { inWords, Mistake } from "../support/mistake.ts";
import { SparseMap } from "../support/sparse.ts";

/** An action that a user may want of a channel. Subscribing includes reading its log. */
export type Action = "subscribe" | "publish";

/** The user whom a connection belongs to. Add what the application wants to know about its users. */
export interface User {
  /** The same on every connection of this user, and nobody else's. */
  readonly id: string;
}

/** A grant that needs no call of `authorize`. */
export interface Capability {
  /** A channel's name, or a pattern. */
  readonly channel: string;
  readonly actions: readonly Action[];
}

/** The findings of `authenticate`. They are read once; a later change doesn't count. */
export interface Authenticated<U extends User = User> {
  readonly user: U;
  /**
   * When the token ends, as a date or in Unix milliseconds: `claims.exp * 1000`. Never, where this is
   * left out or Infinity. A token that has ended already is refused as a bad one is.
   */
  readonly expiresAt?: number | Date | undefined;
  /** With these, a crowd that reconnects costs no look-up. */
  readonly capabilities?: readonly Capability[] | undefined;
}

/** One question for `authorize`. */
export interface AuthorizeQuestion<U extends User = User> {
  readonly user: U;
  readonly action: Action;
  /** The declared pattern, which tells which params there are. */
  readonly pattern: string;
  readonly params: Readonly<Record<string, string>>;
  /** The full name, with its params in place: `room:7`. */
  readonly channel: string;
}

/**
 * Says whether a user may do something: `true` allows it. An answer that is no boolean is logged as a
 * mistake and allows nothing. The call has a deadline, `limits.hookMs`.
 */
export type Authorize<U extends User = User> = (
  question: AuthorizeQuestion<U>,
) => boolean | Promise<boolean>;

/** Decisions kept per connection: more are made anew. */
const DECISIONS_MAX = 1_024;

/** Permissions of one connection, for as long as its token stands. */
export class Access {
  readonly #admitted: Admitted;
  readonly #options: AccessOptions;
  readonly #decisions = new SparseMap<string, boolean>();

  constructor(options: AccessOptions, admitted: Admitted) {
    this.#options = options;
    this.#admitted = admitted;
  }

  get user(): User {
    return this.#admitted.user;
  }

  get userId(): string {
    return this.#admitted.userId;
  }

  /** When the token ends, in Unix milliseconds; Infinity where it doesn't. */
  get expiresAt(): number {
    return this.#admitted.expiresAt;
  }

  /**
   * The channel's rule, when the user may do this there. An undeclared channel and a forbidden one
   * look the same [AUTH-7].
   *
   * @throws `forbidden`; `unavailable`, when `authorize` took too long; `internal`, when it threw.
   */
  async require(action: Action, channel: string): Promise<ChannelRule> {
    const rule = this.#options.rules.find(channel);
    if (rule === null || !(await this.#allows(action, channel, rule)))
      throw tailwireError("forbidden");
    return rule;
  }

  #allows(action: Action, channel: string, rule: ChannelRule): boolean | Promise<boolean> {
    const { grants } = this.#admitted;
    const granted = grants?.some(
      ({ pattern, actions }) => actions.has(action) && pattern.match(channel) !== null,
    );
    if (granted) return true;
    const { authorize } = this.#options;
    // Without anybody to ask, declared channels are open, except to tokens that say what they grant.
    if (authorize === null) return grants === null;
    return (
      this.#decisions.get(`${action} ${channel}`) ?? this.#ask(authorize, action, channel, rule)
    );
  }

  async #ask(
    authorize: Authorize,
    action: Action,
    channel: string,
    rule: ChannelRule,
  ): Promise<boolean> {
    const params = rule.pattern.match(channel) ?? {};
    const question = { user: this.user, action, pattern: rule.pattern.pattern, params, channel };
    const given: unknown = await this.#options.callHook("authorize", () => authorize(question));
    const decision = decisionOf(given);
    if (this.#decisions.size >= DECISIONS_MAX) this.#decisions.clear();
    this.#decisions.set(`${action} ${channel}`, decision);
    return decision;
  }
}

/** Only `true` is a yes. @throws Mistake for what is neither a yes nor a no. */
function decisionOf(given: unknown): boolean {
  const decision = given ?? false;
  if (typeof decision === "boolean") return decision;
  throw new Mistake("authorize", `authorize gave ${inWords(given)}: expected true or false`);
}

/** Dependencies of decisions on the node. */
export interface AccessOptions {
  readonly rules: ChannelRules;
  /** Null where declared channels are open to everybody who is authenticated. */
  readonly authorize: Authorize | null;
  readonly callHook: CallHook;
}

/** Calls a function of the application, with its deadline. @throws TailwireError it threw; else Mistake. */
export type CallHook = <Value>(name: string, hook: () => Value | Promise<Value>) => Promise<Value>;
