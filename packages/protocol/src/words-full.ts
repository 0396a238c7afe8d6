/**
 * Descriptions of a client's own errors on Node, and where a bundler makes a development build: what
 * happened, and what to do. See `words-short.ts`.
 */
import { ERROR_CODES } from "./codes.ts";

/** Descriptions for codes that mean less, or more, where no message has travelled. */
const OWN: Readonly<Record<string, string>> = {
  bad_channel:
    "A channel's name is up to 200 letters, digits and _@+=,~!.- between : and /, and each param is given " +
    "and has neither : nor /.",
  unauthenticated:
    "The server has refused the token for good. Have getToken give a valid one, and make a new client.",
};

/** The rule for an argument, by the word that an error's detail begins with. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  name: "The name of an event or a request is 1 to 64 of A-Z a-z 0-9 _ . : - without spaces.",
  time: "ttlMs and timeoutMs are milliseconds, from 0.",
  signal: "signal is an AbortSignal.",
  limit: "limit is a whole number from 1 to 1,000.",
  start:
    'start is "latest", "earliest", { rewind: { count } }, { rewind: { ageMs } } or a position.',
};

/** Remedies for a failed connection, by the word for why it failed [CONN-7]. */
const REMEDIES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Nothing listens at this host and port. Start the server, or mend the address.",
  ENOTFOUND: "There is no such host. Mend the address.",
  EAI_AGAIN: "The host's name can't be looked up. Mend the address, or the network.",
  ECONNRESET: "The connection was cut. Is this port a tailwire server's?",
  not_found:
    "The server has no WebSocket at this path. Use attach's, /tailwire where it names none.",
  forbidden_origin: "The server lets in no pages of this origin. Add it to its allowedOrigins.",
  token_failed: "getToken threw, or gave no text of 1 to 8,192 characters. Mend it.",
  connect_timeout: "No welcome came in 15 s. Does getToken answer? Is this a tailwire server?",
  connect_failed:
    "Browsers don't say why. Does the server run, is the path attach's, and the page's origin in its " +
    "allowedOrigins? The network panel shows its answer.",
  closed_1002: "This isn't a tailwire server's WebSocket. Mend the address.",
};

/** A server's or a proxy's answer without a code of tailwire's. */
const STRANGER =
  "That isn't a tailwire server's answer. Mend the address, or have the proxy pass upgrades on.";

const LATER = "It is tried again.";

/** The description by code, and the detail of this occasion. */
export function describe(code: string, detail?: string): string {
  if (detail === undefined) return OWN[code] ?? descriptionOf(code);
  const word = /^\w*/.exec(detail)?.[0] ?? "";
  switch (code) {
    case "connect_failed":
      return `${sentence(detail)} ${REMEDIES[word] ?? (word.startsWith("http_") ? STRANGER : LATER)}`;
    case "unheard":
      return `${sentence(detail)} ${descriptionOf(code)}`;
    case "bad_message":
      return `${ARGUMENTS[word] ?? ""} (${detail})`;
    default:
      return `${describe(code)} (${detail})`;
  }
}

function descriptionOf(code: string): string {
  if (!Object.hasOwn(ERROR_CODES, code)) return "The server has closed this client for good.";
  const { description } = ERROR_CODES[code as keyof typeof ERROR_CODES];
  return description.replace(" (client library)", "");
}

function sentence(words: string): string {
  return words.replace(/\.?$/, ".");
}
