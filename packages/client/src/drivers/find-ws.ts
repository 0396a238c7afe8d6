/** Finds `ws`, which is optional, wherever the program that uses it was put. */
import { createRequire } from "node:module";
import type { WebSocket } from "ws";

export type WsConstructor = new (
  url: string,
  subprotocols: string[],
  options: { perMessageDeflate: boolean },
) => WebSocket;

/**
 * Files beside which it may be installed: this one; the bundle that this one is a part of, whose
 * `import.meta` is empty where it is CommonJS; the program. Not the working directory, which may be
 * anybody's.
 */
export const PLACES: readonly (string | undefined)[] = [
  import.meta.url,
  typeof __filename === "string" ? __filename : undefined,
  process.argv[1],
];

/** The first one that is found; null where there is none. */
export function findWs(places: readonly (string | undefined)[]): WsConstructor | null {
  for (const place of places) {
    try {
      return (createRequire(place as string)("ws") as { WebSocket: WsConstructor }).WebSocket;
    } catch {
      // There is no such place, or no `ws` beside it.
    }
  }
  return null;
}
