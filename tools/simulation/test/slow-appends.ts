// A broker that pushes at once and answers appends late, for tests in which the push comes first.
import type { Clock } from "@tailwire/protocol";
import type { Broker } from "@tailwire/server/broker-contract";
import { changed } from "@tailwire/simulation";

export function slowAppends(broker: Broker, clock: () => Clock): Broker {
  return changed(broker, (log) => {
    const append: typeof log.append = async (batch) => {
      const results = await log.append(batch);
      await new Promise<void>((resolve) => clock().after(5_000, resolve));
      return results;
    };
    return { append };
  });
}
