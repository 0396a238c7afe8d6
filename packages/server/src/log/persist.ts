/** Reading again and again: a broker that can't be read now is asked once more after a pause. */
import type { Clock } from "@tailwire/protocol";
import { pause } from "../support/waits.ts";

/** How long after a read that failed the next one comes, in milliseconds. */
const REREAD_MS = 250;

/** The outcome of the first read that succeeds; null once it is over. `failed` is told of each other. */
export async function readPersistently<Value>(
  clock: Clock,
  isOver: () => boolean,
  read: () => Promise<Value>,
  failed: (error: unknown) => void,
): Promise<Value | null> {
  while (!isOver()) {
    try {
      return await read();
    } catch (error) {
      failed(error);
      await pause(clock, REREAD_MS);
    }
  }
  return null;
}
