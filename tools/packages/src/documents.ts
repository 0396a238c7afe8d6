/** Documents' files, as a reader saves them: blocks of code with a name behind the fence's language. */
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Stage, write } from "./stage.ts";

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve());
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("it has no port");
  return address.port;
}

/**
 * Saves a document's files in a folder of a project; where the document says 3000, they say the port.
 *
 * @throws Error when a file isn't there.
 */
export function save(
  stage: Stage,
  document: string,
  { folder, port, names }: { folder: string; port: number; names: readonly string[] },
): void {
  const text = readFileSync(join(stage.root, document), "utf8");
  const found = new Map<string, string>();
  for (const [, name = "", code = ""] of text.matchAll(
    /```\w+ ([\w./-]+\.\w+).*\n([\s\S]*?)```/g,
  )) {
    found.set(name, code.replaceAll("3000", String(port)));
  }
  const missing = names.filter((name) => !found.has(name));
  if (missing.length > 0) throw new Error(`${document} has no ${missing.join(", ")}`);
  write(folder, Object.fromEntries(names.map((name) => [name, found.get(name) ?? ""])));
}
