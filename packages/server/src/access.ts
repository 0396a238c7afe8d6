/**
 * Who may do what: the application's `authorize`, the grants that came with a token, and what was
 * decided before. It knows channels by name only, and no connection.
 */
import { ChannelPattern, tailwireError } from "@tailwire/protocol";
import type { ChannelRule, ChannelRules } from "./channel-rules.ts";
import { SparseMap } from "./sparse.ts";

/** What a user may want of a channel. Subscribing includes reading its log. */
export type Action = "subscribe" | "publish";

/** Who a connection belongs to. Add what the application wants to know about its users. */
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

/** What `authenticate` found out. */
export interface Authenticated<U extends User = User> {
  readonly user: U;
  /** When the token ends, in Unix milliseconds. Never, where this is left out. */
  readonly expiresAt?: number;
  /** With these, a crowd that reconnects costs no look-up. */
  readonly capabilities?: readonly Capability[];
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

/** Says whether a user may do something. It has a deadline, `limits.hookMs`. */
export type Authorize<U extends User = User> = (
  question: AuthorizeQuestion<U>,
) => boolean | Promise<boolean>;

interface Grant {
  readonly pattern: ChannelPattern;
  readonly actions: readonly Action[];
}

/** Decisions kept per connection: more are made anew. */
const DECISIONS_MAX = 1_024;

/** What one connection may do, for as long as its token stands. */
export class Access {
  readonly user: User;
  readonly expiresAt: number;
  readonly #options: AccessOptions;
  /** Null where the token doesn't say what it grants. */
  readonly #grants: readonly Grant[] | null;
  readonly #decisions = new SparseMap<string, boolean>();

  constructor(options: AccessOptions, { user, expiresAt, capabilities }: Authenticated) {
    this.#options = options;
    this.user = user;
    this.expiresAt = expiresAt ?? Infinity;
    this.#grants =
      capabilities?.map(({ channel, actions }) => ({
        pattern: new ChannelPattern(channel),
        actions,
      })) ?? null;
  }

  /**
   * The channel's rule, when the user may do this there. What isn't declared and what isn't
   * allowed look the same [AUTH-7].
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
    const granted = this.#grants?.some(
      ({ pattern, actions }) => actions.includes(action) && pattern.match(channel) !== null,
    );
    if (granted) return true;
    const { authorize } = this.#options;
    // Without anybody to ask, declared channels are open, except to tokens that say what they grant.
    if (authorize === null) return this.#grants === null;
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
    const decision = await this.#options.callHook("authorize", () => authorize(question));
    if (this.#decisions.size >= DECISIONS_MAX) this.#decisions.clear();
    this.#decisions.set(`${action} ${channel}`, decision);
    return decision;
  }
}

/** What decisions need of the node. */
export interface AccessOptions {
  readonly rules: ChannelRules;
  /** Null where declared channels are open to everybody who is authenticated. */
  readonly authorize: Authorize | null;
  readonly callHook: CallHook;
}

/** Calls a function of the application, with its deadline. @throws what it throws; `unavailable`. */
export type CallHook = <Value>(name: string, hook: () => Value | Promise<Value>) => Promise<Value>;
