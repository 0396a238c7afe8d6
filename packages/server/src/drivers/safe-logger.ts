/**
 * The application's logger, made safe to call: it may lack a method, throw, or give a promise that
 * rejects. Another logger takes what it fails to, so that nothing is said to nobody.
 */
import type { Logger } from "../ports.ts";
import { errorOf } from "../support/thrown.ts";

export class SafeLogger implements Logger {
  readonly #logger: Partial<Logger>;
  readonly #fallback: Logger;
  #failed = false;

  constructor(logger: Partial<Logger>, fallback: Logger) {
    this.#logger = logger;
    this.#fallback = fallback;
  }

  debug(fields: object, message: string): void {
    this.#write("debug", fields, message);
  }

  info(fields: object, message: string): void {
    this.#write("info", fields, message);
  }

  warn(fields: object, message: string): void {
    this.#write("warn", fields, message);
  }

  error(fields: object, message: string): void {
    this.#write("error", fields, message);
  }

  #write(level: keyof Logger, fields: object, message: string): void {
    const failed = (thrown: unknown): void => {
      this.#fail(thrown);
      this.#fallback[level](fields, message);
    };
    try {
      if (typeof this.#logger[level] !== "function") return this.#fallback[level](fields, message);
      const given: unknown = this.#logger[level](fields, message);
      if (given !== undefined) (async () => given)().catch(failed);
    } catch (thrown) {
      failed(thrown);
    }
  }

  /** Its failure is told once: it may fail with every line. */
  #fail(thrown: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#fallback.error({ error: errorOf(thrown) }, "the logger failed; its lines stand here");
  }
}
