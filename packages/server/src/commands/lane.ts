/**
 * A channel's turn on a connection: what is asked of one channel is carried out in order, and in
 * portions, since all that waited for one slow answer may go on at once.
 */
import type { Connection } from "../connection/connection.ts";

/** Bytes that a request in progress holds beside its data: a guess from above. */
export const REQUEST_BYTES = 512;

/**
 * Runs a request in its channel's turn. Its bytes are counted from its arrival until it is released,
 * whether it waits or is carried out.
 */
export function inLane(
  connection: Connection,
  channel: string,
  bytes: number,
  step: (release: () => void) => Promise<void> | void,
): void {
  connection.hold(bytes);
  const release = (): void => connection.hold(-bytes);
  connection.lanes.run(channel, () => {
    if (connection.node.turns.begin(connection)) return step(release);
    return inLaterTurn(connection).then(() => step(release));
  });
}

/** Resolves in a turn in which the connection may begin one thing more. */
export async function inLaterTurn(connection: Connection): Promise<void> {
  const { turns } = connection.node;
  do await turns.next();
  while (!turns.begin(connection));
}

/** The lane of what is answered at length. No channel has this name. */
const LARGE = " large";

/**
 * Runs what ends in a large answer, when all that was said before has left: so asking for many
 * holds no more than asking for one [FLOW-3].
 */
export function oneByOne(connection: Connection, work: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.lanes.run(LARGE, async () => {
      await connection.output.emptied();
      await work().then(resolve, reject);
    });
  });
}
