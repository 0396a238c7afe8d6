/**
 * A channel's state, as the application gives it: whole, as of a position in the log.
 *
 * State and log are two stores, and either may move on while the other is asked: a snapshot is a
 * state from whose position the log can go on. Cursors that ask at the same time share one call.
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
import { givenBy, inWords, Mistake } from "../support/mistake.ts";

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

export interface SnapshotsOptions {
  readonly name: string;
  readonly rule: ChannelRule;
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

  constructor(options: SnapshotsOptions, hook: SnapshotHook) {
    this.#options = options;
    this.#hook = hook;
  }

  /** The state as of some place that the log can go on from. @throws `snapshot_unavailable`. */
  take(): Promise<Snapshot> {
    this.#flight ??= this.#take().finally(() => {
      this.#flight = null;
    });
    return this.#flight;
  }

  async #take(): Promise<Snapshot> {
    try {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const { position, payload } = await this.#ask();
        const started = await this.#options.log.start(position);
        if (started.recovered) return { position: started.position, payload };
      }
    } catch (error) {
      const { code, description } = this.#options.report(error);
      throw tailwireError("snapshot_unavailable", `${code}: ${description}`);
    }
    throw tailwireError("snapshot_unavailable", "its position isn't retained");
  }

  async #ask(): Promise<Snapshot> {
    const { name, rule, limits, log, callHook } = this.#options;
    // Asked for before the state: what is published meanwhile may be in it, and comes once more.
    const { position: end } = await log.start("latest");
    const params = rule.pattern.match(name) ?? {};
    const given: unknown = await callHook("snapshot", () =>
      this.#hook({ channel: name, params, position: { ...end } }),
    );
    return givenBy("snapshot", () => snapshotOf(given, end, limits.messageBytesMax));
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
