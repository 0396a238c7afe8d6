/** The types that a component reads and writes. No behaviour. */
import type {
  Gap,
  ParamArgs,
  Position,
  Publishing,
  PublishOptions,
  RequestOptions,
  Start,
  TailwireError,
} from "@tailwire/client";

interface Shown<Data> {
  /** For React: the same from the moment it is published here until it is let go. */
  readonly key: string;
  readonly event: string;
  readonly data: Data;
  /** The `localId` that `publish()` gave it, where this client published it; else null. */
  readonly localId: string | null;
  /** Unix milliseconds: the broker's, and this machine's until the broker has told its own. */
  readonly timestamp: number;
}

/** The log has it. */
export interface ShownPublished<Data = unknown> extends Shown<Data> {
  readonly state: "published";
  /** Unique within the channel. */
  readonly id: string;
  readonly position: Position;
  /** Public id of the client that published it; null when the server did. */
  readonly publisher: string | null;
}

/** It was published here, and its fate isn't known yet. */
export interface ShownSending<Data = unknown> extends Shown<Data> {
  readonly state: "sending";
}

/** It was published here, and its promise has rejected. It stays until it is told to go. */
export interface ShownRefused<Data = unknown> extends Shown<Data> {
  readonly state: "refused";
  /** Why. After `indeterminate` the log may have it all the same. */
  readonly error: TailwireError;
  /** Takes it out, and publishes it anew. */
  readonly retry: () => void;
  /** Takes it out. */
  readonly remove: () => void;
}

/** A publication as a component shows it. */
export type ShownPublication<Data = unknown> =
  | ShownPublished<Data>
  | ShownSending<Data>
  | ShownRefused<Data>;

export interface ChannelState<Data = unknown> {
  /**
   * In the log's order, and then those of this client that the log doesn't have yet. The same array until
   * it changes.
   */
  readonly publications: readonly ShownPublication<Data>[];
  /** Where publications are missing, in order: each lies before what follows its `continuesAfter`. */
  readonly gaps: readonly Gap[];
  /** Whether everything has arrived that was in the log at the start, or at the last gap. */
  readonly caughtUp: boolean;
  /** Whether nothing comes any more: it was refused, or the client is closed. */
  readonly ended: boolean;
  /** Why it has ended, such as `forbidden`; null where nobody is to blame. */
  readonly error: TailwireError | null;
  /** False when the log has nothing older. */
  readonly hasOlder: boolean;
  /** Whether {@link ChannelView.older} is reading. */
  readonly isReadingOlder: boolean;
}

export interface ChannelView<Data = unknown> extends ChannelState<Data> {
  /**
   * Publishes, and shows it at once. A refusal is shown in the list, too, so nobody has to await it.
   *
   * @throws `bad_channel`; it rejects as `Channel.publish` of @tailwire/client does.
   */
  readonly publish: (event: string, data: Data, options?: PublishOptions) => Publishing;
  /**
   * Puts up to `count` older publications before the first, 50 where left out; `limit` grows by as many.
   * While it reads it gives the promise of that.
   *
   * @throws TailwireError as `Channel.read` of @tailwire/client does, or why the subscription was refused.
   */
  readonly older: (count?: number) => Promise<void>;
}

export interface ChannelOptions {
  /** Where to begin; `"latest"` where left out: with what is published from now on. */
  readonly start?: Start | undefined;
  /** Newest publications that are kept; 500 where left out. */
  readonly limit?: number | undefined;
  /** False waits, and follows nothing: until a user is known, until a tab is opened. */
  readonly enabled?: boolean | undefined;
}

/** A channel's params by name, as a pattern that is put together at run time has them. */
export type AnyParams = Readonly<Record<string, string>>;

/** The arguments after a pattern: params where it has any, and options. */
export type ChannelArgs<Pattern extends string> = string extends Pattern
  ? [params?: AnyParams | undefined, options?: ChannelOptions]
  : ParamArgs<Pattern> extends [params: infer Params]
    ? [params: Params, options?: ChannelOptions]
    : [params?: Readonly<Record<string, never>> | undefined, options?: ChannelOptions];

export interface RequestState<Output = unknown> {
  /** The last answer; undefined before the first. A request that fails leaves it as it is. */
  readonly data: Output | undefined;
  /** Why the last request has failed; null when it hasn't. */
  readonly error: TailwireError | null;
  readonly isAsking: boolean;
}

export interface RequestView<Output = unknown, Input = unknown> extends RequestState<Output> {
  /**
   * Asks. Where several are under way, the last one is shown. It goes on when the component has gone:
   * a signal takes it back.
   *
   * @throws TailwireError as `Client.request` of @tailwire/client does. Nobody has to await it.
   */
  readonly ask: (input?: Input, options?: RequestOptions) => Promise<Output>;
}
