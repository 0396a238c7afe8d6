/** The broker behind a URL. Its package is loaded only where it is asked for, and need not be installed. */
import { TailwireError } from "@tailwire/protocol";
import type { OpenBroker } from "@tailwire/server";

interface BrokerPackage {
  readonly name: string;
  readonly open: (url: string) => Promise<OpenBroker>;
}

const REDIS: BrokerPackage = {
  name: "@tailwire/redis",
  open: async (url) => (await import("@tailwire/redis")).redisBroker({ url }),
};
const NATS: BrokerPackage = {
  name: "@tailwire/nats",
  open: async (url) => (await import("@tailwire/nats")).natsBroker({ servers: url }),
};

/** Packages by the beginnings of their URLs. */
const PACKAGES: Readonly<Record<string, BrokerPackage>> = {
  "redis://": REDIS,
  "rediss://": REDIS,
  "nats://": NATS,
};

/** The rule for a broker's URL, as an operator reads it. */
export const URL_RULE: string = `--broker needs a URL that begins with ${Object.keys(PACKAGES).join(" or ")}.`;

/** The package for a URL; null where none is known for it. */
export function packageOf(url: string): BrokerPackage | null {
  return Object.entries(PACKAGES).find(([start]) => url.startsWith(start))?.[1] ?? null;
}

/** The URL as it may be shown: without a password. */
export function shownUrl(url: string): string {
  return url.replace(/\/\/[^/]*@/, "//");
}

/** @throws TailwireError `bad_option` where its package isn't installed, or the URL makes no sense. */
export async function brokerAt(url: string): Promise<OpenBroker> {
  const found = packageOf(url);
  if (found === null) throw badBroker(URL_RULE);
  try {
    return await found.open(url);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw badBroker(
      code === "ERR_MODULE_NOT_FOUND" ? installing(found, url) : `--broker: ${message}.`,
    );
  }
}

function installing({ name }: BrokerPackage, url: string): string {
  const start = url.replace(/\/\/.*/, "//");
  return `--broker ${start} needs a package of its own: npm install ${name}, or npx -p tailwire -p ${name} tailwire --broker <url>.`;
}

function badBroker(description: string): TailwireError {
  return new TailwireError({ code: "bad_option", description, fault: "client", retry: false });
}
