/**
 * Rules about access: nothing of a channel is sent to who may not see it, nothing is appended of who
 * may not publish, and what is forbidden looks like what doesn't exist. Rules 17 and 18 of the checker.
 */
import type { AccessEvent, HistoryEvent } from "./history.ts";
import type { Setting } from "./setting.ts";
import type { Send, Wire } from "./wire.ts";
import type { Report } from "./violation.ts";

interface Speaker {
  readonly user: string;
  readonly expiresAt: number;
  readonly at: number;
  /** Channels that its user may see, or could at some time since its token came. */
  readonly allowed: Set<string>;
}

export class Access {
  readonly #wire: Wire;
  readonly #setting: Setting;
  readonly #report: Report;
  readonly #speakers = new Map<string, Speaker>();
  readonly #policies = new Map<string, Set<string>>();
  /** Users and channels that were allowed at some time. */
  readonly #ever = new Set<string>();
  /** Answers to users who may not, per action. */
  readonly #denials = new Map<string, string>();

  constructor(wire: Wire, setting: Setting, report: Report) {
    this.#wire = wire;
    this.#setting = setting;
    this.#report = report;
  }

  take(event: HistoryEvent, turn: number): void {
    switch (event.type) {
      case "token":
      case "policy":
      case "sent":
      case "denied":
        return this.#access(event);
      case "appended": {
        const { channel, entry } = event;
        const arrivals = this.#wire.arrivalsOf(entry.tag, turn);
        // The server itself has published whatever was never seen on a wire.
        if (arrivals.length === 0) return;
        if (arrivals.some((send) => this.#mayPublish(send, channel))) return;
        return this.#report("R17", `${entry.tag} was appended to ${channel} without permission`);
      }
      default:
    }
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
    const { user, expiresAt } = speaker;
    if (!this.#mayStill(speaker, channel, at)) {
      this.#report("R17", `${channel} was sent to ${user}, who may not see it`);
    } else if (wall > this.#endOf(speaker)) {
      const ms = wall - expiresAt;
      this.#report("R17", `${channel} was sent to ${user}, ${ms} ms after the token's end`);
    }
  }

  #mayPublish({ exchange }: Send, channel: string): boolean {
    if (exchange === null) return false;
    const { grant, wall, at } = exchange.request;
    const speaker = this.#speakers.get(grant ?? "");
    if (speaker === undefined) return false;
    return this.#mayStill(speaker, channel, at) && wall <= this.#endOf(speaker);
  }

  /** Whether a token allows a channel, or did, and there was no time yet to decide anew. */
  #mayStill({ user, at: since, allowed }: Speaker, channel: string, at: number): boolean {
    if (allowed.has(channel)) return true;
    return this.#ever.has(`${user} ${channel}`) && at - since <= this.#setting.decisionMs;
  }

  #endOf({ expiresAt }: Speaker): number {
    return expiresAt + this.#setting.expiryMs;
  }
}
