/**
 * The tiny client as the judge of clients wants it (docs/conformance.md): it is told what to do by
 * lines of JSON, and tells by lines of JSON what happened.
 *
 *   npm run conformance -- --client -- node examples/tiny-client/dist/judged.js
 */
import { type Incoming, TinyClient } from "./tiny-client.ts";

export interface Order {
  readonly do: string;
  readonly channel?: string;
  readonly start?: unknown;
  readonly data?: unknown;
}

/** Starts it on a URL. `tell` is called with its news. */
export function startTiny(
  url: string,
  tell: (news: Readonly<Record<string, unknown>>) => void,
): { order(order: Order): void; stop(): void } {
  const client = new TinyClient(url);
  const order = ({ do: what, channel = "", start, data }: Order): void => {
    if (what === "subscribe") client.follow(channel, start, (message) => tell(newsOf(message)));
    else if (what === "publish") {
      client.publish(channel, "conf", data).then(
        (position) => tell({ event: "published", data, position }),
        ({ message: code }: Error) => tell({ event: "refused", data, code }),
      );
    } else tell({ event: "cannot", do: what });
  };
  return { order, stop: () => client.close() };
}

function newsOf({
  type,
  channel,
  data,
  reason,
  code,
}: Incoming): Readonly<Record<string, unknown>> {
  if (type === "publication") return { event: "publication", channel, data };
  if (type === "snapshot") return { event: "state", channel, data };
  if (type === "gap") return { event: "gap", channel, reason };
  return { event: "ended", channel, code };
}
