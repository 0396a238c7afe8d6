/** The server's address, from whatever an application has at hand. */
import { wordsOf } from "@tailwire/protocol";

/** A URL of the platform's, whose type not every program has. */
export interface Href {
  readonly href: string;
  toString(): string;
}

/** The path that a server is attached at, where it names none. */
export const DEFAULT_PATH = "/tailwire";

/**
 * The address for a WebSocket: `http:` becomes `ws:`, and `https:` `wss:`; an address without a path gets
 * the default one; a relative one is the page's.
 *
 * @throws TypeError for any other.
 */
export function addressOf(given: string | Href, page: string | undefined): string {
  const text = wordsOf(given).replace(/^\w+:\/\/[^/?#]+$/, `$&${DEFAULT_PATH}`);
  try {
    const { href } = new URL(text, page);
    if (/^(?:ws|http)s?:/.test(href)) return href.replace(/^http/, "ws").replace(/#.*/, "");
  } catch {
    // Told below.
  }
  throw new TypeError(`no WebSocket URL: ${text}`);
}
