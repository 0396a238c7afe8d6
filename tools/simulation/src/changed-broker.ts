/** A broker with some of its logs' calls replaced, for tests of what a node makes of them. */
import type { Broker, BrokerLog } from "@tailwire/server/broker-contract";

export function changed(broker: Broker, change: (log: BrokerLog) => Partial<BrokerLog>): Broker {
  return {
    capabilities: broker.capabilities,
    onState: (listener) => broker.onState(listener),
    close: () => broker.close(),
    log: (channel, retention) => {
      const log = broker.log(channel, retention);
      return { ...log, ...change(log) };
    },
  };
}
