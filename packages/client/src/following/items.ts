/** What a subscription is told, in its channel's order. No behaviour. */
import type { Position } from "@tailwire/protocol";
import type { Gap, Publication, Snapshot } from "../types.ts";

/** One thing that a subscription is told, in the channel's order. */
export type Item =
  | {
      readonly kind: "publication";
      readonly prev: number | undefined;
      readonly publication: Publication;
      /** Whether this very client published it. */
      readonly own: boolean;
    }
  /** A publication that isn't handed over. */
  | { readonly kind: "passed"; readonly position: Position }
  | { readonly kind: "gap"; readonly gap: Gap }
  | { readonly kind: "epoch"; readonly from: string; readonly position: Position }
  | { readonly kind: "snapshot"; readonly snapshot: Snapshot }
  | { readonly kind: "caughtup"; readonly position: Position };

/** An item as it comes off the wire, for all of a channel's subscriptions. */
export type WireItem = Exclude<Item, { kind: "passed" }>;
