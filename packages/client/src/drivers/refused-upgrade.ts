/**
 * Why an upgrade was refused, in a word. A tailwire server says it in a coded body [CONN-7]; whatever
 * else stands in between answers as it likes, and its status is all that is taken from it.
 */
import type { IncomingMessage } from "node:http";

/** Characters of a body that are looked at: a coded one is shorter. */
const BODY_LENGTH_MAX = 4_096;

/** How long a body may take, in milliseconds. */
const BODY_MS = 2_000;

/** The server's code, or such as `http_502`. */
export async function wordFor(response: IncomingMessage): Promise<string> {
  return codeIn(await bodyOf(response)) ?? `http_${response.statusCode}`;
}

function codeIn(body: string): string | null {
  try {
    const { code } = JSON.parse(body) as { readonly code?: unknown };
    return typeof code === "string" && /^[a-z][a-z0-9_]{0,63}$/.test(code) ? code : null;
  } catch {
    return null;
  }
}

/** As much as has come when it ends, is long enough, or has taken too long. */
function bodyOf(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let body = "";
    const end = (): void => {
      clearTimeout(timer);
      resolve(body);
    };
    const timer = setTimeout(end, BODY_MS);
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      body += chunk.slice(0, BODY_LENGTH_MAX);
      if (body.length >= BODY_LENGTH_MAX) end();
    });
    response.on("error", end);
    response.on("close", end);
    response.on("end", end);
  });
}
