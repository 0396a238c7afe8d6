/** The logger of those who gave none: warnings and errors, a line each, on standard error. */
import type { Logger } from "../ports.ts";

const ignore = (): void => undefined;

export const stderrLogger: Logger = { debug: ignore, info: ignore, warn: write, error: write };

function write(fields: object, message: string): void {
  const details = JSON.stringify(fields, (_name, value: unknown) =>
    value instanceof Error ? (value.stack ?? value.message) : value,
  );
  process.stderr.write(`tailwire: ${message} ${details}\n`);
}
