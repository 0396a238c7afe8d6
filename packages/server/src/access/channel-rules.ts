/**
 * The channels that an application declares, by pattern, with their options. A channel that no pattern
 * matches doesn't exist, and is answered as a forbidden one [AUTH-7].
 */
import { ChannelPattern } from "@tailwire/protocol";
import type { Retention } from "../log/broker.ts";
import type { OnPublish, SnapshotHook, User } from "../application.ts";
import {
  type Chosen,
  FUNCTION,
  givenOptions,
  isPlain,
  type Kinds,
  OBJECT,
} from "../support/given-options.ts";
import { retentionOf } from "../log/retention.ts";
import { inWords } from "../support/mistake.ts";

/** The application's options for the channels of a pattern. */
export interface ChannelOptions<U extends User = User> {
  /** How much of the log is kept, and so how long a client may be away without a gap. */
  readonly retention?: Chosen<Retention> | undefined;
  /** `"server"`: only the server publishes there, whatever `authorize` and tokens' grants allow. */
  readonly publish?: "server" | undefined;
  /**
   * Called before a client's publication is added to the log. It returns the data to log, or throws a
   * `TailwireError` to refuse it [PUB-13].
   */
  readonly onPublish?: OnPublish<U> | undefined;
  /**
   * Gives the channel's state, whole: for whoever begins with what is there now, and after a gap.
   * It has a deadline, `limits.hookMs`, and takes at most `limits.messageBytesMax`; those who need it
   * within a second share one call. Where it throws, or gives no `data`, it is `snapshot_unavailable`.
   */
  readonly snapshot?: SnapshotHook | undefined;
}

export interface ChannelRule {
  readonly pattern: ChannelPattern;
  readonly retention: Retention;
  /** Whether clients may publish, where they are allowed to. */
  readonly isPublic: boolean;
  /** Null where publications are logged as they come. */
  readonly onPublish: OnPublish | null;
  /** Null where the application keeps no state. */
  readonly snapshot: SnapshotHook | null;
}

const CHANNEL: Kinds<ChannelOptions> = {
  retention: OBJECT,
  publish: { words: '"server", or nothing', fits: (value) => value === "server" },
  onPublish: FUNCTION,
  snapshot: FUNCTION,
};

export class ChannelRules {
  readonly #rules: readonly ChannelRule[];

  /**
   * @throws RangeError when a pattern is malformed, or two of them match the same name; TypeError when an
   * option is none.
   */
  constructor(declared: Readonly<Record<string, ChannelOptions>>) {
    if (!isPlain(declared)) {
      throw new TypeError(
        `channels is ${inWords(declared)}, expected an object by pattern: { "room:{id}": {} }`,
      );
    }
    this.#rules = Object.entries(declared).map(([pattern, options]) => {
      const where = `channels["${pattern}"]`;
      const parsed = new ChannelPattern(pattern);
      const own = givenOptions<ChannelOptions>(where, options, CHANNEL);
      return {
        pattern: parsed,
        retention: retentionOf(`${where}.retention`, own.retention),
        isPublic: own.publish === undefined,
        onPublish: own.onPublish ?? null,
        snapshot: own.snapshot ?? null,
      };
    });
    for (const [index, { pattern }] of this.#rules.entries()) {
      const twin = this.#rules.slice(0, index).find((rule) => rule.pattern.overlaps(pattern));
      if (twin !== undefined) {
        throw new RangeError(
          `"${pattern.pattern}" and "${twin.pattern.pattern}" match the same names: declare one of them`,
        );
      }
    }
  }

  /** The rule for a name, or null where nothing was declared. */
  find(name: string): ChannelRule | null {
    return this.#rules.find((rule) => rule.pattern.match(name) !== null) ?? null;
  }
}
