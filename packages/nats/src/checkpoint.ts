/**
 * A checkpoint: the producers that a log remembers as of one of its records, so that a node which begins to
 * append needn't read the log from further back. The log has it all, so one that is missing does no harm.
 */
import type { Checkpoint } from "@tailwire/server/broker-contract";

/** The form of checkpoints that this file writes, and the only one that it reads. */
const FORM = 1;

export interface StoredCheckpoint {
  /** Sequence and name of the record. */
  readonly sequence: number;
  readonly token: string;
  readonly producers: Checkpoint;
}

export function encodeCheckpoint(checkpoint: StoredCheckpoint): string {
  return JSON.stringify({ form: FORM, ...checkpoint });
}

/** Null for a checkpoint of another form. */
export function decodeCheckpoint(data: Uint8Array): StoredCheckpoint | null {
  const parsed: unknown = JSON.parse(new TextDecoder().decode(data));
  const { form, ...checkpoint } = parsed as StoredCheckpoint & { readonly form: number };
  return form === FORM ? checkpoint : null;
}
