/**
 * The tail of a log as a node keeps it: what is retained, and beyond that what is still to be sent.
 *
 * Retention waits for sweeps, so that a batch or a rest costs nobody a publication, and for states that
 * are being given out. It doesn't know who is sent anything.
 */
import type { Position } from "@tailwire/protocol";
import type { Retention } from "./broker.ts";
import { Retained } from "./retained.ts";

export class NodeTail extends Retained {
  /** Up to where everybody in line has been served. */
  sweptTo: number;
  /** The offset of a state: all that follows is kept for it, of any age. Infinity: there is none. */
  stateAt: number;

  /** Begins at a position; a state that the tail before it kept something for is kept more. */
  constructor(retention: Retention, position: Position, former: NodeTail | null) {
    super(retention, position);
    this.sweptTo = position.offset;
    this.stateAt = (former?.stateAt ?? Infinity) < Infinity ? position.offset : Infinity;
  }

  override trim(now: number, bytesMax: number): void {
    super.trim(now, bytesMax, Math.min(this.sweptTo, this.stateAt), this.stateAt);
  }
}
