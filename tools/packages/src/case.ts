/** One thing to try: it resolves where it works, and throws where it doesn't. */
import type { Stage } from "./stage.ts";

export interface Case {
  readonly name: string;
  /** @throws Skipped where this machine lacks something; any other error is a failure. */
  readonly run: (stage: Stage) => Promise<void>;
}

/** @throws Error when it isn't so. */
export function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
