/**
 * The appends of one node to one log: those of a moment share one call of the broker, and none
 * overtakes another. It doesn't know what follows the log.
 */
import { ERROR_CODES, TailwireError, tailwireError } from "@tailwire/protocol";
import type { Append, AppendResult, BrokerLog } from "./broker.ts";
import type { BrokerLink } from "./broker-link.ts";
import { givenResult } from "./given.ts";
import type { Limits } from "../limits.ts";
import { thrownBy } from "../support/mistake.ts";
import type { Ports } from "../ports.ts";
import { type Awaitable, isPromised } from "../support/awaitable.ts";
import { errorOf } from "../support/thrown.ts";
import { withDeadline } from "../support/waits.ts";

type Results = Awaitable<readonly AppendResult[]>;

interface WaitingAppend {
  readonly append: Append;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
  /** Called at once, before anything else is taken, when it is refused and may come again. */
  readonly onRetry: () => void;
}

export class AppendQueue {
  readonly #ports: Ports;
  readonly #limits: Limits;
  readonly #link: BrokerLink;
  readonly #log: () => BrokerLog;
  #waiting: WaitingAppend[] = [];
  #appending = false;

  /** `log` gives the broker's handle, which is made for each call. */
  constructor(ports: Ports, limits: Limits, link: BrokerLink, log: () => BrokerLog) {
    this.#ports = ports;
    this.#limits = limits;
    this.#link = link;
    this.#log = log;
  }

  /**
   * Appends, after what was given before. Callers that wait at the same time share one call of the
   * broker. `onRetry` is called when it wasn't appended and may come again, before any other is taken: a
   * promise tells that too late [PUB-12].
   *
   * @throws `unavailable` when certainly nothing was appended, `indeterminate` when nobody knows.
   */
  append(append: Append, onRetry: () => void = () => undefined): Awaitable<AppendResult> {
    const { outage } = this.#link;
    if (outage !== null) {
      if (outage.retry) onRetry();
      throw outage;
    }
    if (this.#appending) {
      return new Promise((resolve, reject) => {
        this.#waiting.push({ append, resolve, reject, onRetry });
      });
    }
    const call = this.#call([append]);
    if (!isPromised(call)) return resultNow(call, onRetry);
    return new Promise((resolve, reject) => {
      void this.#appendFrom([{ append, resolve, reject, onRetry }], call);
    });
  }

  /** Refuses what waits, and was never sent. */
  rejectWaiting(error: TailwireError): void {
    for (const waiting of this.#waiting.splice(0)) fail(waiting, error);
  }

  /** Calls the broker, once for a batch and then for all that waits meanwhile. */
  async #appendFrom(batch: readonly WaitingAppend[], call: Results): Promise<void> {
    this.#appending = true;
    await this.#appendBatch(batch, call);
    while (this.#waiting.length > 0) {
      const next = this.#waiting.splice(0);
      await this.#appendBatch(next, this.#call(next.map(({ append }) => append)));
    }
    this.#appending = false;
  }

  #call(batch: readonly Append[]): Results {
    try {
      const results = this.#log().append(batch);
      // A thenable is adopted here, where it may throw.
      return isPromised(results) ? Promise.resolve(results) : results;
    } catch (thrown) {
      return Promise.reject(errorOf(thrown));
    }
  }

  /** Waits for one call's end, so that no later one overtakes it. */
  async #appendBatch(batch: readonly WaitingAppend[], results: Results): Promise<void> {
    const call = Promise.resolve(results);
    const progress = { ended: false };
    const end = (): void => {
      progress.ended = true;
    };
    const ending = call.then(end, end);
    const late = (): TailwireError =>
      tailwireError("indeterminate", "the broker didn't answer in time");
    const { clock } = this.#ports;
    try {
      this.#answer(batch, await withDeadline(clock, this.#limits.appendMs, call, late));
    } catch (thrown) {
      const error = failureOf(thrown);
      for (const waiting of batch) fail(waiting, error);
      // Certainly not appended, so it comes again: what waits behind it must not be there first.
      if (error instanceof TailwireError && error.retry) this.rejectWaiting(error);
    }
    while (!progress.ended) {
      await withDeadline(clock, this.#limits.appendMs, ending, late).catch(() => undefined);
      this.#expireWaiting();
    }
  }

  /** Hands out the results, and holds what waits behind a refusal that may pass. */
  #answer(batch: readonly WaitingAppend[], results: readonly AppendResult[]): void {
    const holding = new Set<string | undefined>();
    for (const [index, { append, resolve, onRetry }] of batch.entries()) {
      const result = resultAt(results, index, () => {
        holding.add(append.producer?.id);
        onRetry();
      });
      resolve(result);
    }
    // Without a producer it is nobody's: the server's own publications don't come again.
    holding.delete(undefined);
    const isHeld = ({ append }: WaitingAppend): boolean => holding.has(append.producer?.id);
    const held = this.#waiting.filter(isHeld);
    this.#waiting = this.#waiting.filter((waiting) => !isHeld(waiting));
    for (const waiting of held) fail(waiting, tailwireError("held"));
  }

  /** Appends that waited behind a call that hangs, and were never sent, are told so. */
  #expireWaiting(): void {
    const now = this.#ports.clock.monotonic();
    const late = this.#waiting.some(({ append }) => now >= append.notAfter);
    if (late) this.rejectWaiting(tailwireError("expired"));
  }
}

/** The one result of a call that was answered at once. */
function resultNow(results: readonly AppendResult[], onRetry: () => void): AppendResult {
  try {
    return resultAt(results, 0, onRetry);
  } catch (thrown) {
    throw failureOf(thrown);
  }
}

/** One of a call's results. @throws TypeError where there is none. */
function resultAt(
  results: readonly AppendResult[],
  index: number,
  onRetry: () => void,
): AppendResult {
  const result = givenResult(results, index);
  if (result.kind === "refused" && ERROR_CODES[result.code].retry) onRetry();
  return result;
}

/** A result that breaks the broker's contract says nothing about the append. */
function failureOf(thrown: unknown): Error {
  if (thrown instanceof TailwireError) return thrown;
  return thrownBy("broker.append", thrown, tailwireError("indeterminate"));
}

function fail({ reject, onRetry }: WaitingAppend, error: unknown): void {
  if (error instanceof TailwireError && error.retry) onRetry();
  reject(error);
}
