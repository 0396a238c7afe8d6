/** Headers of every answer: they tell the browser what to keep from the page. */
import { createHash } from "node:crypto";

const COMMON = {
  "Cache-Control": "no-cache",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
} as const;

/** The headers of an answer that is no page: it may load nothing. */
export const PLAIN_HEADERS: Readonly<Record<string, string>> = {
  ...COMMON,
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
};

/**
 * The headers of a page. Its import map has to be inline, so that one script is let in by its hash;
 * text that becomes markup is refused by the browser wherever it knows how (trusted types).
 */
export function pageHeaders(html: string, host: string): Readonly<Record<string, string>> {
  const importMap = /<script type="importmap">(.*?)<\/script>/s.exec(html)?.[1] ?? "";
  const hash = createHash("sha256").update(importMap).digest("base64");
  // Older browsers don't count a WebSocket to the page's own host as 'self'.
  const websocket = /^[\w.:[\]-]+$/.test(host) ? ` ws://${host}` : "";
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self'${websocket}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return { ...COMMON, "Content-Security-Policy": policy.join("; ") };
}
