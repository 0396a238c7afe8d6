/**
 * Why an upgrade was refused, in a word and in words. A tailwire server says it in a coded body [CONN-7];
 * whatever else stands in between answers as it likes: its status is the word, and its text is shown.
 */
import type { IncomingMessage } from "node:http";

/** Characters of a body that are looked at: a coded one is shorter. */
const BODY_LENGTH_MAX = 4_096;

/** How long a body may take, in milliseconds. */
const BODY_MS = 2_000;

/** Characters of a stranger's body that a developer is shown. */
const SHOWN_MAX = 200;

export interface Refusal {
  /** The server's code, or such as `http_502`. */
  readonly reason: string;
  /** Whether a fresh token is all that would help: as with 4501 [AUTH-3, AUTH-4]. */
  readonly isFinal: boolean;
  /** The status, and what the body says. */
  readonly words: string;
}

export async function refusalIn(response: IncomingMessage): Promise<Refusal> {
  const body = await bodyOf(response);
  const { statusCode } = response;
  const { code, description } = codedIn(body);
  const isCoded = typeof code === "string" && /^[a-z][a-z0-9_]{0,63}$/.test(code);
  const said = isCoded && typeof description === "string" ? description : body.slice(0, SHOWN_MAX);
  return {
    reason: isCoded ? code : `http_${statusCode}`,
    isFinal: isCoded && statusCode === 401 && code !== "token_expired",
    words: `HTTP ${statusCode}: ${said.trim() || "nothing"}`,
  };
}

function codedIn(body: string): { readonly code?: unknown; readonly description?: unknown } {
  try {
    return Object(JSON.parse(body)) as { readonly code?: unknown };
  } catch {
    return {};
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
