/**
 * Origins: which pages may connect. Only browsers send one, and a page can't choose its own [AUTH-6].
 *
 * Lists are written by people: what means the same origin is brought to the one form that browsers
 * send, and what can't be an origin is refused when it is given, since it would never match.
 */
import type { IncomingHttpHeaders } from "node:http";
import { givenOptions, TEXT } from "../support/given-options.ts";

export class Origins {
  /** Null: the page's own host. */
  readonly #allowed: ReadonlySet<string> | null;

  /** @throws RangeError for what is no origin. */
  constructor(allowed: readonly string[] | null) {
    this.#allowed = allowed && new Set(allowed.map((origin) => originOf("allowedOrigins", origin)));
  }

  /**
   * Without a list: the page's own host, and on this machine's loopback addresses any port, so that
   * a development server beside this one works.
   */
  allow({ origin, host }: IncomingHttpHeaders): boolean {
    if (origin === undefined) return true;
    if (this.#allowed !== null) return this.#allowed.has(origin);
    if (!URL.canParse(origin)) return false;
    const page = new URL(origin);
    // As the page's own scheme reads it: there `:443` or `:80` may be left out, or not.
    const ownHost = `${page.protocol}//${host}`;
    if (!URL.canParse(ownHost)) return false;
    const here = new URL(ownHost);
    return page.host === here.host || (isLoopback(page.hostname) && isLoopback(here.hostname));
  }
}

/**
 * An origin as browsers send it: `https://Chat.example:443/` is `https://chat.example`. `null`, which a
 * page without an origin of its own sends, is one.
 *
 * @throws RangeError for a wildcard, a path, a missing scheme, and what else never matches.
 */
function originOf(option: string, given: string): string {
  if (given === "null") return given;
  if (URL.canParse(given) && !given.includes("*")) {
    const { protocol, host, pathname, search, hash, username, password } = new URL(given);
    const rest = `${pathname.replace(/^\/$/, "")}${search}${hash}${username}${password}`;
    // Schemes of apps and extensions have origins too, which `URL.origin` doesn't tell.
    if (host !== "" && rest === "" && !/^wss?:$/.test(protocol)) return `${protocol}//${host}`;
  }
  throw new RangeError(
    `${option}: "${given}" is no origin of a page. Expected "https://chat.example": scheme, host and ` +
      "port, without path or wildcard, each origin by itself",
  );
}

/** The page that alone may use a ticket; null where any may. @throws RangeError, TypeError. */
export function originOfTicket(options: { readonly origin?: string | undefined }): string | null {
  const { origin } = givenOptions<{ readonly origin: string }>("ticket", options, {
    origin: TEXT,
  });
  return origin === undefined ? null : originOf("ticket: origin", origin);
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
