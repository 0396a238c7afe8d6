/** The demo's commands to its server, by plain HTTP: what they do to sockets mustn't stop them. */

/** Posts one, and gives in words why it couldn't be done; null when it was. */
export async function command(name: string): Promise<string | null> {
  try {
    const { ok, status } = await fetch(`/demo/${name}`, { method: "POST" });
    return ok ? null : `HTTP ${status}`;
  } catch {
    return "the server can't be reached";
  }
}
