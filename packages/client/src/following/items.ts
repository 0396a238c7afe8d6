/** One thing on its way from a channel's cursor to a subscription. No behaviour. */
import type {
  CaughtUp,
  EpochMessage,
  GapMessage,
  Position,
  PublicationMessage,
  SnapshotMessage,
} from "@tailwire/protocol";
import type { Publication } from "../types.ts";

/** The server's messages about one channel. */
export type ChannelMessage =
  | PublicationMessage
  | SnapshotMessage
  | GapMessage
  | EpochMessage
  | CaughtUp;

/** A message for all of a channel's subscriptions: as it came, and a publication in one object. */
export type Item =
  | {
      readonly type: "publication";
      readonly publication: Publication;
      /** Whether this very client published it. */
      readonly own: boolean;
    }
  | Bare<GapMessage>
  | Bare<SnapshotMessage>
  | Bare<EpochMessage>
  | Bare<CaughtUp>;

type Bare<Message> = Message extends unknown
  ? Omit<Message, "id" | "timestamp" | "channel">
  : never;

/** One thing that waits for the application. */
export interface Waiting {
  /** Where the application stands once it is done with this; null: where it stood before. */
  readonly position: Position | null;
  /** Null where there is nothing for listeners of events, or for a loop. */
  readonly publication: Publication | null;
  /** Tells a notice. */
  readonly tell?: () => void;
}
