/**
 * Which versions of Node this runs on. It imports nothing, because it has to load on versions that
 * the rest doesn't load on.
 */

/** The oldest that works: the last 20 before it can't `require` ES modules. */
const OLDEST = [20, 19, 0] as const;
/** The oldest 20 with today's security fixes. */
const SAFE = [20, 20, 2] as const;

export interface NodeVerdict {
  readonly kind: "fine" | "outdated" | "refused";
  /** Words for the person who started it; empty when all is well. */
  readonly words: string;
}

/** The verdict on a version such as `20.20.2`. */
export function judgeNode(version: string): NodeVerdict {
  if (isBelow(version, OLDEST)) {
    const words = `node_too_old: tailwire needs Node ${OLDEST.join(".")} or later, this is ${version}.`;
    return { kind: "refused", words };
  }
  if (isBelow(version, SAFE)) {
    const words = `Node ${version} works, but lacks security fixes: update to ${SAFE.join(".")} or later.`;
    return { kind: "outdated", words };
  }
  return { kind: "fine", words: "" };
}

function isBelow(version: string, than: readonly number[]): boolean {
  const parts = version.split(".").map((part) => Number.parseInt(part, 10));
  for (const [index, other] of than.entries()) {
    const part = parts[index] ?? 0;
    if (part !== other) return part < other;
  }
  return false;
}
