/**
 * The logger of those who gave none: warnings and errors, a line each, on standard error. It never throws,
 * whatever is in the fields.
 */
import type { Logger } from "../ports.ts";
import { errorOf } from "../support/thrown.ts";

const ignore = (): void => undefined;

export const stderrLogger: Logger = { debug: ignore, info: ignore, warn: write, error: write };

function write(fields: object, message: string): void {
  process.stderr.write(`tailwire: ${message} ${inJson(fields)}\n`);
}

function inJson(fields: object): string {
  try {
    return JSON.stringify(fields, (_name, value: unknown) =>
      value instanceof Error ? (value.stack ?? value.message) : value,
    );
  } catch (thrown) {
    return JSON.stringify({ unreadable: errorOf(thrown).message });
  }
}
