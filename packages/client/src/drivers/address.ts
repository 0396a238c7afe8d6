/** The server's address, from whatever an application has at hand. */

/** The path that a server is attached at, where it names none. */
export const DEFAULT_PATH = "/tailwire";

/**
 * The address for a WebSocket: `http:` becomes `ws:`, and `https:` `wss:`; an address without a path gets
 * the default one; a relative one is the page's.
 *
 * @throws TypeError for any other.
 */
export function addressOf(given: string | URL, page: string | undefined): string {
  const hasNoPath = /^\w+:\/\/[^/?#]+$/.test(given as string);
  try {
    const { href } = new URL(hasNoPath ? given + DEFAULT_PATH : given, page);
    if (/^(?:ws|http)s?:/.test(href)) return href.replace(/^http/, "ws").replace(/#.*/, "");
  } catch {
    // Told below.
  }
  throw new TypeError(`not a ws:, wss:, http: or https: URL: ${given}`);
}
