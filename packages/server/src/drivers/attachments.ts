/**
 * The paths that tailwires serve on one HTTP server, one or several of them, beside whatever else listens
 * there. Others' paths and requests are left to them; where there are no others, nobody is left waiting.
 *
 * It knows paths, and nothing of what is said at them.
 */
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { givenOptions, type Kind, withMethods } from "../support/given-options.ts";
import { inWords } from "../support/mistake.ts";
import { answerPlainRequest } from "./plain-requests.ts";
import { pathOf, type Upgrades } from "./upgrade.ts";

class Attachments {
  readonly #http: HttpServer;
  readonly #byPath = new Map<string, Upgrades>();

  constructor(http: HttpServer) {
    this.#http = http;
  }

  get size(): number {
    return this.#byPath.size;
  }

  /** @throws Error when the path is another's that isn't closed. */
  add(path: string, upgrades: Upgrades): void {
    if (this.#byPath.get(path)?.closed === false) {
      throw new Error(
        `${path} of this HTTP server is attached already. Close the tailwire that is there, or give this one another path`,
      );
    }
    this.#byPath.set(path, upgrades);
    // Somebody may have taken all listeners away meanwhile.
    if (!this.#http.listeners("upgrade").includes(this.#onUpgrade)) {
      this.#http.on("upgrade", this.#onUpgrade);
    }
    if (!this.#http.listeners("request").includes(this.#onRequest)) {
      this.#http.on("request", this.#onRequest);
    }
  }

  /** The path may be another's already. */
  remove(path: string, upgrades: Upgrades): void {
    if (this.#byPath.get(path) === upgrades) this.#byPath.delete(path);
    if (this.#byPath.size > 0) return;
    this.#http.off("upgrade", this.#onUpgrade);
    this.#http.off("request", this.#onRequest);
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    const upgrades = this.#byPath.get(pathOf(request));
    if (upgrades !== undefined) return upgrades.accept(request, socket, head);
    // With others listening, the path may be theirs.
    if (this.#http.listenerCount("upgrade") > 1) return;
    const [first] = this.#byPath.values();
    first?.refuseUnknown(request, socket, [...this.#byPath.keys()]);
  };

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    // With another listener the answer is its; without one the request would hang.
    if (this.#http.listenerCount("request") > 1) return;
    answerPlainRequest(response, this.#byPath.has(pathOf(request)));
  };
}

const all = new WeakMap<HttpServer, Attachments>();

/**
 * Serves a path of an HTTP server. Gives what takes all of it back.
 *
 * @throws Error when the path is served already.
 */
export function attach(http: HttpServer, path: string, upgrades: Upgrades): () => void {
  const attachments = all.get(http) ?? new Attachments(http);
  attachments.add(path, upgrades);
  all.set(http, attachments);
  return () => {
    attachments.remove(path, upgrades);
    if (attachments.size === 0) all.delete(http);
  };
}

/**
 * The path to attach to an HTTP server. It is compared as it stands.
 *
 * @throws TypeError for what is no HTTP server; RangeError for a path that no request has.
 */
export function pathToAttach(httpServer: HttpServer, options: { readonly path?: unknown }): string {
  if (!HTTP_SERVER.fits(httpServer)) {
    throw new TypeError(
      `attach: the server is ${inWords(httpServer)}, expected Node's HTTP server: what createServer() or app.listen() gave`,
    );
  }
  const { path = "/tailwire" } = givenOptions("attach", options, { path: ANY });
  if (typeof path === "string" && isPath(path)) return path;
  const shown = typeof path === "string" ? `"${path}"` : inWords(path);
  throw new RangeError(
    `attach: the path is ${shown}, expected one such as "/tailwire", compared as it stands: no query, wildcard or param`,
  );
}

const ANY: Kind = { words: "anything", fits: () => true };
const HTTP_SERVER = withMethods("on", "off", "listeners", "listenerCount", "address");

/** Whether a request's path can be this one. */
function isPath(path: string): boolean {
  const base = "http://localhost";
  if (!path.startsWith("/") || /\*|\/:/.test(path) || !URL.canParse(path, base)) return false;
  const { href } = new URL(path, base);
  return href === base + path && !/[?#]/.test(path);
}
