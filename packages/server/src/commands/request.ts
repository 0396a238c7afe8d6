/**
 * The commands `request` and `cancel`: the application is asked, and its result is the answer, or the
 * reason why there is none.
 */
import {
  type CancelMessage,
  JsonText,
  type RequestMessage,
  tailwireError,
} from "@tailwire/protocol";
import type { Connection } from "../connection/connection.ts";
import { REQUEST_BYTES } from "../connection/lanes.ts";
import { convertGiven, outcomeOf, Overdue } from "../support/mistake.ts";
import type { AbortHandle } from "../ports.ts";
import { withDeadline } from "../support/waits.ts";
import type { Services } from "./services.ts";

/** A question to the application [REQ-1]. Its answer is the handler's, or why there is none. */
export function request(node: Services, connection: Connection, message: RequestMessage): void {
  const { requests, context } = connection;
  const { user } = connection.access;
  const { id, name } = message;
  const handler = node.application.requests.get(name);
  if (handler === undefined) return connection.refuse(id, tailwireError("unknown_request"));
  if (requests.has(id)) return connection.refuse(id, tailwireError("bad_message", "id: in use"));
  const abort = node.ports.abort();
  requests.set(id, abort);
  const bytes = REQUEST_BYTES + JSON.stringify(message.data).length;
  connection.input.account(bytes);
  const hook = `requests.${name}`;
  const { signal } = abort;
  const answer = (async () => {
    if (!node.turns.begin(connection)) await node.turns.inLaterTurn(connection);
    // A request that is cancelled before it has begun gets no answer either.
    if (signal.aborted) return null;
    return node.turns.call(() => handler(message.data, { user, context, id, signal }));
  })();
  const late = (): Overdue => new Overdue(hook, "limits.requestMs", tailwireError("timeout"));
  withDeadline(node.ports.clock, node.limits.requestMs, untilAborted(answer, abort), late)
    .then((value) => {
      const data = convertGiven(hook, () => JsonText.of(value ?? null));
      connection.say({ type: "ack", re: id, data });
    })
    .catch((thrown: unknown) => {
      const error = node.report(outcomeOf(hook, thrown));
      connection.refuse(id, error);
      // The application may still be working on it: tell it to stop.
      abort.abort(error);
    })
    .finally(() => {
      requests.delete(id);
      connection.input.account(-bytes);
    });
}

/** Takes a request back: it is answered with `cancelled`, unless its answer is on its way. */
export function cancel(_: Services, connection: Connection, message: CancelMessage): void {
  connection.requests.get(message.re)?.abort(tailwireError("cancelled"));
}

function untilAborted<Value>(answer: Promise<Value>, { signal }: AbortHandle): Promise<Value> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => {
      const { reason } = signal;
      reject(reason instanceof Error ? reason : tailwireError("cancelled"));
    });
    answer.then(resolve, reject);
  });
}
