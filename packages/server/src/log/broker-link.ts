/**
 * A node's way to its broker: whether it can be reached, and calls that have a deadline.
 *
 * It knows no channel. It tells the operator when the broker goes down and why, and clients only that.
 */
import { type Clock, TailwireError, tailwireError } from "@tailwire/protocol";
import type { Broker, BrokerLog, BrokerState, Retention } from "./broker.ts";
import { givenState } from "./given.ts";
import type { Logger } from "../ports.ts";
import { convertGiven } from "../support/mistake.ts";
import { errorOf } from "../support/thrown.ts";
import { withDeadline } from "../support/waits.ts";

export interface BrokerLinkOptions {
  readonly broker: Broker;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Milliseconds that a call may take, and before that wait for the broker to be up. */
  readonly callMs: number;
  /** Called when the broker goes down, and when it is up again. */
  readonly onChange: () => void;
}

export class BrokerLink {
  readonly #options: BrokerLinkOptions;
  /** Calls that go on when it is up. */
  readonly #waiting = new Set<() => void>();
  #outage: TailwireError | null = null;
  /** Words of the failure that was reported last. */
  #reported = "";
  #isClosed = false;

  constructor(options: BrokerLinkOptions) {
    this.#options = options;
    options.broker.onState((state) => this.#told(state));
  }

  /** Whether the broker can be reached. While it is down, nothing can be published. */
  get state(): BrokerState["kind"] {
    return this.#outage === null ? "up" : "down";
  }

  /** The answer to an append while the broker is down; null while it is up. */
  get outage(): TailwireError | null {
    return this.#outage;
  }

  /** A handle of a channel's log, made for each call. */
  log(channel: string, retention: Retention): BrokerLog {
    return this.#options.broker.log(channel, retention);
  }

  /**
   * Calls the broker, when it is up, and looks at what it gives.
   *
   * @throws `unavailable` when it isn't, or doesn't answer, in time; Mistake when it gives no such value.
   */
  async call<Value>(
    name: keyof BrokerLog,
    run: () => Promise<Value>,
    given: (value: Value) => Value,
  ): Promise<Value> {
    if (this.#outage !== null) await this.#untilUp(this.#outage);
    const { clock, callMs } = this.#options;
    const value = await withDeadline(clock, callMs, run(), () =>
      tailwireError("unavailable", "the broker didn't answer in time"),
    );
    return convertGiven(`broker.${name}`, () => given(value));
  }

  /** Tells the operator of a failure that nobody waits for. In a row, the same one is told once. */
  report(thrown: unknown): void {
    const error = errorOf(thrown);
    if (error instanceof TailwireError || error.message === this.#reported) return;
    this.#reported = error.message;
    this.#options.logger.error({ error }, "the broker failed");
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#options.broker.close();
  }

  /** An error thrown here would be thrown into the broker. */
  #told(given: BrokerState): void {
    try {
      this.#enter(convertGiven("broker.onState", () => givenState(given)));
    } catch (thrown) {
      this.report(thrown);
    }
  }

  #enter(state: BrokerState): void {
    if (state.kind === this.state || this.#isClosed) return;
    const { logger, onChange } = this.#options;
    if (state.kind === "down") {
      logger.error({ reason: state.reason }, "the broker is down: publications are refused");
      this.#outage = tailwireError("unavailable", "the broker can't be reached now");
      return onChange();
    }
    logger.info({}, "the broker is up again");
    this.#outage = null;
    onChange();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const goOn of waiting) goOn();
  }

  #untilUp(outage: TailwireError): Promise<void> {
    const { clock, callMs } = this.#options;
    return new Promise((resolve, reject) => {
      const goOn = (): void => {
        cancel();
        resolve();
      };
      const cancel = clock.after(callMs, () => {
        this.#waiting.delete(goOn);
        reject(outage);
      });
      this.#waiting.add(goOn);
    });
  }
}
