/**
 * A channel's state, as the application gives it: whole, as of a position in the log.
 *
 * State and log are two stores, and either may move on while the other is asked: a snapshot is a
 * state from whose position the log can go on. Cursors that ask within a second share one call.
 */
import {
  carrying,
  fits,
  type Payload,
  payloadBytes,
  payloadOf,
  type Position,
  SERVER_MESSAGES,
  type SnapshotMessage,
  type TailwireError,
  tailwireError,
  type Unstamped,
} from "@tailwire/protocol";
import type { CallHook, SnapshotAnswer, SnapshotHook } from "../application.ts";
import type { ChannelRule } from "../access/channel-rules.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log/log.ts";
import { convertGiven, inWords, Mistake } from "../support/mistake.ts";
import type { Ports } from "../ports.ts";
import { pause } from "../support/waits.ts";

export interface Snapshot {
  /** Everything up to here is part of it. */
  readonly position: Position;
  readonly payload: Payload;
}

export function snapshotMessage(
  channel: string,
  { position, payload }: Snapshot,
): Unstamped<SnapshotMessage> {
  return { type: "snapshot", channel, position, ...carrying(payload) };
}

/** How often a state is asked for that the log has already passed by. */
const TRIES = 3;

/** The application is asked for a channel's state once in so many milliseconds at most. */
const ASK_EVERY_MS = 1_000;

export interface SnapshotsOptions {
  readonly name: string;
  readonly rule: ChannelRule;
  readonly ports: Ports;
  readonly limits: Limits;
  readonly log: Log;
  readonly callHook: CallHook;
  /** Any error as one with a code; what isn't one is logged. */
  readonly report: (error: unknown) => TailwireError;
}

export class Snapshots {
  readonly #options: SnapshotsOptions;
  readonly #hook: SnapshotHook;
  #flight: Promise<Snapshot> | null = null;
  /** The last one, for as long as nobody may ask anew. The tail keeps what follows it. */
  #last: Snapshot | null = null;
  #mayAskAt = -Infinity;

  constructor(options: SnapshotsOptions, hook: SnapshotHook) {
    this.#options = options;
    this.#hook = hook;
  }

  /** The state as of some place that the log can go on from. @throws `snapshot_unavailable`. */
  fetch(): Promise<Snapshot> {
    this.#flight ??= this.#fetch().finally(() => {
      this.#flight = null;
    });
    return this.#flight;
  }

  async #fetch(): Promise<Snapshot> {
    try {
      const known = this.#last === null ? null : await this.#placed(this.#last);
      if (known !== null) return known;
      for (let tries = 0; tries < TRIES; tries += 1) {
        const snapshot = await this.#placed(await this.#ask());
        if (snapshot !== null) return this.#keep(snapshot);
      }
    } catch (error) {
      this.#forget();
      const { code, description } = this.#options.report(error);
      throw tailwireError("snapshot_unavailable", `${code}: ${description}`);
    }
    this.#forget();
    throw tailwireError("snapshot_unavailable", "its position isn't retained");
  }

  /** The same where the log can go on from its place; else null. */
  async #placed({ position, payload }: Snapshot): Promise<Snapshot | null> {
    const started = await this.#options.log.start(position);
    return started.recovered ? { position: started.position, payload } : null;
  }

  #keep(snapshot: Snapshot): Snapshot {
    this.#last = snapshot;
    const { clock } = this.#options.ports;
    clock.after(Math.max(0, this.#mayAskAt - clock.monotonic()), () => {
      if (this.#last === snapshot) this.#forget();
    });
    return snapshot;
  }

  #forget(): void {
    this.#last = null;
    this.#options.log.keepForState(Infinity);
  }

  async #ask(): Promise<Snapshot> {
    const { name, rule, limits, log, callHook, ports } = this.#options;
    const waitMs = this.#mayAskAt - ports.clock.monotonic();
    if (waitMs > 0) await pause(ports.clock, waitMs);
    this.#mayAskAt = ports.clock.monotonic() + ASK_EVERY_MS;
    log.keepForState(log.lastOffset);
    // Asked for before the state: what is published meanwhile may be in it, and comes once more.
    const { position: end } = await log.start("latest");
    const params = rule.pattern.match(name) ?? {};
    const given: unknown = await callHook("snapshot", () =>
      this.#hook({ channel: name, params, position: { ...end } }),
    );
    return convertGiven("snapshot", () => snapshotOf(given, end, limits.messageBytesMax));
  }
}

/** The hook's answer, as far as it is a state. @throws Mistake. */
function snapshotOf(given: unknown, end: Position, bytesMax: number): Snapshot {
  const answer = given as Partial<SnapshotAnswer> | null | undefined;
  if (typeof answer !== "object" || answer === null) {
    throw unfit(`${inWords(given)}: expected { data }`);
  }
  const { data } = answer;
  if (data === undefined)
    throw unfit("no data: expected { data }, and null where there is none yet");
  // A position keeps its three fields and nothing else.
  const { epoch, offset, id } = answer.position ?? end;
  const position = { epoch, offset, id };
  if (!fits(position, SERVER_MESSAGES.snapshot.position)) {
    throw unfit("a position that is none: expected one of a publication, or the question's");
  }
  const payload = payloadOf(data);
  if (payloadBytes(payload) > bytesMax) throw unfit("more than limits.messageBytesMax");
  return { position, payload };
}

function unfit(words: string): Mistake {
  return new Mistake("snapshot", `snapshot gave ${words}`);
}
