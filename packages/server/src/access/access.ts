/**
 * Permissions of one connection: the application's `authorize`, the grants that came with a token,
 * and the decisions so far. It knows channels by name only, and no connection.
 */
import { tailwireError } from "@tailwire/protocol";
import type { Action, Authorize, CallHook, User } from "../application.ts";
import type { Admitted } from "./admitted.ts";
import type { ChannelRule, ChannelRules } from "./channel-rules.ts";
import { inWords, Mistake } from "../support/mistake.ts";
import { andThen, type Awaitable } from "../support/awaitable.ts";
import { SparseMap } from "../support/sparse.ts";

/** Decisions kept per connection: more are made anew. */
const DECISIONS_MAX = 1_024;

/** A channel that may be published to. */
export interface Place {
  readonly rule: ChannelRule;
  readonly params: Readonly<Record<string, string>>;
}

/** Permissions of one connection, for as long as its token stands. */
export class Access {
  readonly #admitted: Admitted;
  readonly #options: AccessOptions;
  readonly #decisions = new SparseMap<string, boolean>();
  /** Channels that were published to. */
  readonly #places = new SparseMap<string, Place>();

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
  require(action: Action, channel: string): Awaitable<ChannelRule> {
    const rule = this.#options.rules.find(channel);
    if (rule === null) throw tailwireError("forbidden");
    return andThen(this.#allows(action, channel, rule), (isAllowed) => {
      if (!isAllowed) throw tailwireError("forbidden");
      return rule;
    });
  }

  /** The same for publishing, which is looked up once for each channel. @throws as {@link require} does. */
  toPublish(channel: string): Awaitable<Place> {
    const known = this.#places.get(channel);
    if (known !== undefined) return known;
    return andThen(this.require("publish", channel), (rule) => {
      const place = { rule, params: rule.pattern.match(channel) ?? {} };
      if (this.#places.size >= DECISIONS_MAX) this.#places.clear();
      this.#places.set(channel, place);
      return place;
    });
  }

  #allows(action: Action, channel: string, rule: ChannelRule): Awaitable<boolean> {
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
