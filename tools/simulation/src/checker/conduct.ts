/**
 * Rules about how nodes conduct themselves: who is let see what, what is answered, what is held, what
 * is left. Rules 17 to 21, 23, 24, 27, 28 of the checker.
 */
import type { AccessEvent, HistoryEvent, Report, RunEvent, WireEvent } from "./history.ts";

/** What isn't at once, in milliseconds. */
export interface Patience {
  /** How long after its end a token may still be served: the grace, and what a deadline is late by. */
  readonly expiryMs: number;
  /** How long it may take to decide anew about a subscription, after a fresh token. */
  readonly decisionMs: number;
}

/** Of requests, and of what answers them. */
type Answering = Extract<WireEvent, { type: "request" | "answer" | "closed" }>;

interface Speaker {
  readonly user: string;
  readonly expiresAt: number;
  readonly at: number;
  /** Channels that its user may see, or could at some time since its token came. */
  readonly allowed: Set<string>;
}

/**
 * Codes that no client is told that keeps the protocol, however things cross: each says that it has
 * said what may not be said, or said it where it may not. `not_subscribed` isn't one of them, since an
 * `unsubscribe` may cross an `unsubscribed` [SUB-9].
 */
const NEVER_TOLD: ReadonlySet<string> = new Set(
  "already_subscribed bad_channel bad_message bad_position id_conflict invalid_data not_ready too_large".split(
    " ",
  ),
);

/** And how no connection of such a client ends. */
const NEVER_CLOSED: ReadonlySet<string> = new Set(
  "1002 1003 1007 1008 1009 1010 bad_message protocol_violation too_large".split(" "),
);

export class Conduct {
  readonly #report: Report;
  readonly #patience: Patience;
  readonly #speakers = new Map<string, Speaker>();
  readonly #policies = new Map<string, Set<string>>();
  /** Users and channels that were allowed at some time. */
  readonly #ever = new Set<string>();
  /** How often each request was asked and not answered, by connection. */
  readonly #open = new Map<string, Map<string, number>>();
  /** What was answered to those who may not, per action. */
  readonly #denials = new Map<string, string>();
  readonly #unresolved = new Set<string>();

  constructor(report: Report, patience: Patience) {
    this.#report = report;
    this.#patience = patience;
  }

  take(event: HistoryEvent): void {
    switch (event.type) {
      case "token":
      case "policy":
      case "sent":
      case "denied":
        return this.#access(event);
      case "request":
      case "answer":
      case "closed":
        return this.#wire(event);
      case "told":
      case "verdict":
      case "unreadable":
        return this.#manners(event);
      case "held":
      case "idled":
      case "delayed":
      case "left":
      case "crash":
      case "rerun":
        return this.#run(event);
      case "publish":
        this.#unresolved.add(event.tag);
        return;
      case "published":
      case "unpublished":
        this.#unresolved.delete(event.tag);
        return;
      default:
    }
  }

  /** At the end, after all was healed: was everybody answered? */
  settle(): void {
    for (const [connection, ids] of this.#open) {
      for (const id of ids.keys()) this.#report("R20", `${id} on ${connection} was never answered`);
    }
    for (const tag of this.#unresolved) this.#report("R21", `${tag} has no outcome`);
  }

  #access(event: AccessEvent): void {
    switch (event.type) {
      case "token": {
        const { user, expiresAt, at } = event;
        const allowed = new Set(this.#policies.get(user));
        this.#speakers.set(event.connection, { user, expiresAt, at, allowed });
        return;
      }
      case "policy":
        return this.#policy(event);
      case "sent":
        return this.#sent(event);
      case "denied": {
        const first = this.#denials.get(event.action);
        if (first === undefined) this.#denials.set(event.action, event.answer);
        else if (first !== event.answer) {
          this.#report("R18", `${event.action}: "${event.answer}", and elsewhere "${first}"`);
        }
        return;
      }
      default:
        event satisfies never;
    }
  }

  #policy({ user, channel, allowed }: Extract<AccessEvent, { type: "policy" }>): void {
    const channels = this.#policies.get(user) ?? new Set<string>();
    this.#policies.set(user, channels);
    if (!allowed) {
      channels.delete(channel);
      return;
    }
    channels.add(channel);
    this.#ever.add(`${user} ${channel}`);
    for (const speaker of this.#speakers.values()) {
      if (speaker.user === user) speaker.allowed.add(channel);
    }
  }

  #sent({ connection, channel, wall, at }: Extract<AccessEvent, { type: "sent" }>): void {
    const speaker = this.#speakers.get(connection);
    if (speaker === undefined) {
      return this.#report("R17", `${channel} was sent on ${connection}, whose nobody knows`);
    }
    const { user, expiresAt, allowed } = speaker;
    const undecided =
      this.#ever.has(`${user} ${channel}`) && at - speaker.at <= this.#patience.decisionMs;
    if (!allowed.has(channel) && !undecided) {
      this.#report("R17", `${channel} was sent to ${user}, who may not see it`);
    } else if (wall > expiresAt + this.#patience.expiryMs) {
      const ms = wall - expiresAt;
      this.#report("R17", `${channel} was sent to ${user}, ${ms} ms after the token's end`);
    }
  }

  /** What a client was told that keeps the protocol, and by whom it was told. */
  #manners(event: Exclude<WireEvent, Answering>): void {
    const { connection } = event;
    switch (event.type) {
      case "told":
        if (!NEVER_TOLD.has(event.code)) return;
        return this.#report("R27", `${connection} was told ${event.code}`);
      case "verdict":
        if (!NEVER_CLOSED.has(event.close)) return;
        return this.#report("R27", `${connection} was closed with ${event.close}`);
      case "unreadable":
        return this.#report("R27", `${connection} was sent what can't be read: ${event.detail}`);
      default:
        event satisfies never;
    }
  }

  #wire(event: Answering): void {
    const open = this.#open.get(event.connection) ?? new Map<string, number>();
    switch (event.type) {
      case "request":
        this.#open.set(event.connection, open);
        open.set(event.id, (open.get(event.id) ?? 0) + 1);
        return;
      case "answer": {
        const asked = open.get(event.re) ?? 0;
        if (asked > 1) open.set(event.re, asked - 1);
        else open.delete(event.re);
        if (asked > 0) return;
        return this.#report("R20", `${event.re} on ${event.connection} was answered unasked`);
      }
      case "closed":
        this.#open.delete(event.connection);
        return;
      default:
        event satisfies never;
    }
  }

  #run(event: Exclude<RunEvent, { type: "healed" | "settled" }>): void {
    switch (event.type) {
      case "held":
        if (event.bytes <= event.bound) return;
        return this.#report("R19", `${event.what} holds ${event.bytes} of ${event.bound} bytes`);
      case "idled":
        if (event.timers <= event.bound) return;
        return this.#report("R21", `${event.timers} timers fired while nothing was to be done`);
      case "delayed":
        if (event.ms <= event.bound) return;
        return this.#report("R23", `${event.sub} waited for ${event.ms} ms`);
      case "left":
        if (event.count === 0) return;
        return this.#report("R24", `${event.count} ${event.what} are left`);
      case "crash":
        return this.#report("R27", event.error);
      case "rerun":
        if (event.hash === event.again) return;
        return this.#report("R28", `${event.hash} the first time, ${event.again} the second`);
      default:
        event satisfies never;
    }
  }
}
