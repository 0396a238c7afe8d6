/**
 * The client under judgement, as a program: it is told what to do by lines of JSON, and tells by
 * lines of JSON what happened. It is started with the server's URL as its last argument.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Position } from "@tailwire/protocol";

/** An order to a program. */
export type Order =
  | { readonly do: "subscribe"; readonly channel: string; readonly start: unknown }
  | { readonly do: "publish"; readonly channel: string; readonly data: unknown }
  | { readonly do: "request"; readonly name: string; readonly data: unknown }
  | { readonly do: "cancel"; readonly name: string }
  | {
      readonly do: "read";
      readonly channel: string;
      readonly count: number;
      readonly after?: Position;
      readonly before?: Position;
    }
  | { readonly do: "token"; readonly token: string }
  | { readonly do: "accept" }
  | { readonly do: "clock"; readonly backMs: number };

/** A program's news. It tells `cannot` of an order that it has no means for. */
export type News =
  | { readonly event: "publication"; readonly channel: string; readonly data: unknown }
  | { readonly event: "state"; readonly channel: string; readonly data: unknown }
  | { readonly event: "gap"; readonly channel: string; readonly reason: string }
  | { readonly event: "ended"; readonly channel: string; readonly code: string }
  | { readonly event: "published"; readonly data: unknown; readonly position?: Position }
  | { readonly event: "refused"; readonly data: unknown; readonly code: string }
  | { readonly event: "answered"; readonly data: unknown }
  | { readonly event: "unanswered"; readonly code: string }
  | PageNews
  | { readonly event: "cannot"; readonly do: Order["do"] };

/** A page that was read: its data, their positions, and the reason of its gap. */
export interface PageNews {
  readonly event: "page";
  readonly channel: string;
  readonly data: readonly unknown[];
  readonly positions: readonly Position[];
  readonly more: boolean;
  readonly gap: string | null;
}

/** A client that runs, whatever it runs in. */
export interface Program {
  order(order: Order): void;
  stop(): void;
}

/** Starts a client on a URL; `tell` is called with its news. */
export type Starts = (url: string, tell: (news: News) => void) => Program;

/** Starts a command with its arguments, and the URL behind them. */
export function programOf(command: string, args: readonly string[]): Starts {
  return (url, tell) => {
    const child = spawn(command, [...args, url], { stdio: ["pipe", "pipe", "inherit"] });
    child.on("error", () => undefined);
    child.stdin.on("error", () => undefined);
    createInterface({ input: child.stdout }).on("line", (line) => {
      const news = parsed(line);
      if (news !== null) tell(news);
    });
    return {
      order: (order) => void child.stdin.write(`${JSON.stringify(order)}\n`),
      stop: () => void child.kill(),
    };
  };
}

/** Lines that aren't news are the program's own business. */
function parsed(line: string): News | null {
  try {
    const value = JSON.parse(line) as News | null;
    return typeof value?.event === "string" ? value : null;
  } catch {
    return null;
  }
}
