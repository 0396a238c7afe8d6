/** The directory of the logs where none was named: `.tailwire/logs` beside whoever starts the server. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The default directory, in a folder that git ignores. @throws Error of the file system. */
export function defaultDirectory(): string {
  const folder = join(process.cwd(), ".tailwire");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, ".gitignore"), "*\n");
  return join(folder, "logs");
}
