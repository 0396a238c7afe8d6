/**
 * Programs as applications have them, each with the types of its platform: what tailwire hands out
 * fits what the platform takes, and what the platform has can be handed in. This file runs no compiler;
 * types.ts does.
 */

export interface Program {
  readonly name: string;
  /** Whether it is Node's module system, and not a bundler's. */
  readonly isNode: boolean;
  readonly lib: readonly string[];
  readonly types: readonly string[];
  readonly code: string;
}

/** A client whose token is fetched, and calls that are taken back. */
const CLIENT = `
import { createClient, type ClientOptions, type PlatformSignal } from "@tailwire/client";
const getToken: ClientOptions["getToken"] = async ({ signal }) =>
  (await fetch("/token", { signal })).text();
const client = createClient("wss://a/b", { getToken });
createClient("wss://a/b", { getToken: async ({ signal }) => (await fetch("/token", { signal })).text() });
const room = client.channel("room:{id}", { id: "7" });
const controller = new AbortController();
const { signal } = controller;
room.subscribe({ signal });
export const all = [
  room.publish("said", new Uint8Array(1).buffer, { signal }),
  room.read({ signal }),
  client.request("add", [1, 2], { signal }),
];
export const handed: PlatformSignal["aborted"] = signal.aborted;
`;

const TIMEOUTS = `
void room.publish("said", "in time", { signal: AbortSignal.timeout(1_000) });
void client.request("add", [1], { signal: AbortSignal.timeout(1_000) });
`;

const DISPOSED = `
export async function once(): Promise<void> {
  await using own = createClient("wss://a/b");
  await using subscription = own.channel("room:1").subscribe();
  for await (const { data } of subscription) return void data;
}
`;

const SERVER = `
import { createServer } from "node:http";
import { createTailwire, type RequestHandler } from "@tailwire/server";
const ask: RequestHandler = async (_input, { signal }) =>
  (await fetch("http://127.0.0.1/", { signal })).text();
const tailwire = createTailwire({
  anonymous: true,
  channels: { "room:{id}": { onPublish: ({ data }) => data } },
  requests: {
    ask,
    wait: (_input, { signal }) => {
      signal.throwIfAborted();
      return AbortSignal.any([signal, AbortSignal.timeout(1_000)]).aborted;
    },
  },
});
tailwire.attach(createServer());
`;

/** As much of React Native's global types as the client meets: signals are classes, without reasons. */
const REACT_NATIVE = `
declare global {
  class AbortSignal {
    readonly aborted: boolean;
    onabort: (event: unknown) => void;
    addEventListener: (
      type: "abort",
      listener: (this: AbortSignal, event: any) => any,
      options?: boolean | { once?: boolean | undefined },
    ) => void;
    removeEventListener: (
      type: "abort",
      listener: (this: AbortSignal, event: any) => any,
      options?: boolean,
    ) => void;
  }
  class AbortController {
    readonly signal: AbortSignal;
    abort(): void;
  }
  function fetch(
    input: string,
    init?: { signal?: AbortSignal | undefined },
  ): Promise<{ text(): Promise<string> }>;
}
`;

/** No platform at all: a signal is whatever looks like one. */
const BARE = `
import { type AbortSignalLike, createClient } from "@tailwire/client";
const signal: AbortSignalLike = {
  aborted: false,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
};
const client = createClient("wss://a/b", {
  getToken: ({ signal: given }) => {
    given.addEventListener("abort", () => undefined);
    return String(given.aborted);
  },
});
export const all = [client.request("add", [1], { signal }), client.close()];
`;

export const PROGRAMS: readonly Program[] = [
  {
    name: "browser",
    isNode: false,
    lib: ["es2022", "dom"],
    types: [],
    code: CLIENT + TIMEOUTS,
  },
  {
    name: "browser-of-today",
    isNode: false,
    lib: ["esnext", "dom", "dom.iterable"],
    types: [],
    code: CLIENT + TIMEOUTS + DISPOSED,
  },
  {
    name: "service-worker",
    isNode: false,
    lib: ["es2022", "webworker"],
    types: [],
    code: CLIENT + TIMEOUTS,
  },
  {
    name: "node",
    isNode: true,
    lib: ["es2022"],
    types: ["node"],
    code: CLIENT + TIMEOUTS + SERVER,
  },
  {
    name: "node-and-page",
    isNode: true,
    lib: ["es2023", "dom", "esnext.disposable"],
    types: ["node"],
    code: CLIENT + TIMEOUTS + DISPOSED + SERVER,
  },
  {
    name: "react-native",
    isNode: false,
    lib: ["es2022"],
    types: [],
    code: CLIENT + REACT_NATIVE,
  },
  { name: "bare", isNode: false, lib: ["es2022"], types: [], code: BARE },
  { name: "bare-node16", isNode: true, lib: ["es2022"], types: [], code: BARE },
];

/** The strictest settings that an application may have; declarations of packages are checked too. */
export function tsconfigOf({ isNode, lib, types }: Program): object {
  return {
    compilerOptions: {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
      target: "es2022",
      module: isNode ? "node16" : "esnext",
      moduleResolution: isNode ? "node16" : "bundler",
      lib,
      types,
    },
    include: ["*.ts"],
  };
}
