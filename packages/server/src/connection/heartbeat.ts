/**
 * A connection's heartbeat and deadlines: the next ping, the end of a write that stalls, of a message
 * that isn't complete, and of its token. Before `hello` and while it closes there is one deadline each.
 *
 * It doesn't know messages, nor what a close is.
 */
import type { CloseName } from "@tailwire/protocol";
import type { Limits } from "../limits.ts";
import type { Ports } from "../ports.ts";
import type { Deadlines, Due } from "../support/deadlines.ts";
import type { ConnectionState } from "./states.ts";

/** Dependencies that all heartbeats of a node share. */
export interface HeartbeatHost {
  readonly ports: Ports;
  readonly limits: Limits;
  readonly deadlines: Deadlines;
}

/** The connection whose heartbeat it is. */
export interface Watched {
  readonly node: HeartbeatHost;
  readonly state: ConnectionState;
  readonly output: { readonly blockedAt: number | null };
  readonly input: { readonly reading: boolean };
  /** Unix milliseconds; Infinity where the token doesn't end. */
  readonly access: { readonly expiresAt: number };
  say(message: { readonly type: "ping" }): void;
  close(name: CloseName): void;
  /** Neither `hello` nor the peer's close has come in time. */
  overdue(): void;
}

export class Heartbeat implements Due {
  dueAt = Infinity;
  filedAt: number | null = null;
  readonly #watched: Watched;
  #pingAt = Infinity;
  #missedPongs = 0;
  /** When the message that is coming has to be complete. */
  #assembledBy = Infinity;

  constructor(watched: Watched) {
    this.#watched = watched;
    this.expect(watched.node.limits.helloTimeoutMs);
  }

  /** Something has come, which shows that the peer lives [LIVE-2]. */
  heard(): void {
    this.#missedPongs = 0;
  }

  /**
   * Says whether a message has come in part, and whether one was completed just now: the rest of one
   * that drips in would be waited for, and its parts kept, for as long as its pings are answered.
   */
  assemble(isPartial: boolean, hasCompleted: boolean): void {
    if (!isPartial) this.#assembledBy = Infinity;
    else if (hasCompleted || this.#assembledBy === Infinity) {
      this.#beginAssembly();
      this.dueAgain();
    }
  }

  /** The socket is read again: until now the rest of a message couldn't come. */
  readAgain(): void {
    if (this.#assembledBy !== Infinity) this.#beginAssembly();
  }

  /** Sets the one deadline of a state that isn't open, in milliseconds from now. */
  expect(ms: number): void {
    const { ports, deadlines } = this.#watched.node;
    deadlines.set(this, ports.clock.monotonic() + ms);
  }

  /** The connection is open: pings begin. */
  begin(): void {
    const { ports, limits } = this.#watched.node;
    // Spread, so that connections that came at once don't ping at once for ever.
    const first = limits.pingIntervalMs * (0.5 + ports.random.fraction() / 2);
    this.#pingAt = ports.clock.monotonic() + first;
    this.dueAgain();
  }

  /** Sets what is due next of an open connection. */
  dueAgain(): void {
    if (this.#watched.state !== "open") return;
    const dueAt = Math.min(this.#stallAt, this.#pingAt, this.#expiresAt, this.#assembledBy);
    this.#watched.node.deadlines.set(this, dueAt);
  }

  /** Whether the token is over, its grace included. */
  get isExpired(): boolean {
    return this.#now >= this.#expiresAt;
  }

  onDue(): void {
    const { state } = this.#watched;
    if (state !== "open") return this.#watched.overdue();
    const now = this.#now;
    if (now >= this.#stallAt) this.#watched.close("slow_consumer");
    else if (now >= this.#expiresAt) this.#watched.close("token_expired");
    else if (now >= this.#assembledBy) this.#endAssembly();
    else if (now >= this.#pingAt) this.#beat(now);
    this.dueAgain();
  }

  end(): void {
    this.#watched.node.deadlines.clear(this);
  }

  #beginAssembly(): void {
    this.#assembledBy = this.#now + this.#watched.node.limits.messageMs;
  }

  #endAssembly(): void {
    // While this side doesn't read, the rest may have come.
    if (this.#watched.input.reading) this.#watched.close("message_timeout");
    else this.#beginAssembly();
  }

  #beat(now: number): void {
    const { pingIntervalMs, pongTimeoutMs, missedPongsMax } = this.#watched.node.limits;
    // While this side doesn't read, silence says nothing about the other.
    if (!this.#watched.input.reading) this.heard();
    if (this.#missedPongs >= missedPongsMax) return this.#watched.close("heartbeat_timeout");
    this.#missedPongs += 1;
    this.#watched.say({ type: "ping" });
    this.#pingAt = now + (this.#missedPongs === missedPongsMax ? pongTimeoutMs : pingIntervalMs);
  }

  get #now(): number {
    return this.#watched.node.ports.clock.monotonic();
  }

  /** When the token is over, its grace included. Computed anew each time: wall clocks jump. */
  get #expiresAt(): number {
    const { ports, limits } = this.#watched.node;
    const leftMs = this.#watched.access.expiresAt + limits.expiryGraceMs - ports.clock.now();
    return this.#now + leftMs;
  }

  /** When the write in progress, if there is one, has taken too long. */
  get #stallAt(): number {
    return (this.#watched.output.blockedAt ?? Infinity) + this.#watched.node.limits.stallMs;
  }
}
