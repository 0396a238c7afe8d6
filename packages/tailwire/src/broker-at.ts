/** The broker behind a URL. Its package is loaded only where it is asked for, and need not be installed. */
import { TailwireError } from "@tailwire/protocol";
import type { OpenBroker } from "@tailwire/server";

/** @throws TailwireError `bad_option` where its package isn't installed, or the URL makes no sense. */
export async function brokerAt(url: string): Promise<OpenBroker> {
  try {
    const { redisBroker } = await import("@tailwire/redis");
    return redisBroker({ url });
  } catch (error) {
    throw badBroker(error);
  }
}

function badBroker(error: unknown): TailwireError {
  const { code, message } = error as NodeJS.ErrnoException;
  const description =
    code === "ERR_MODULE_NOT_FOUND"
      ? "--broker redis:// needs a package of its own: npm install @tailwire/redis, or " +
        "npx -p tailwire -p @tailwire/redis tailwire --broker <url>."
      : `--broker: ${message}.`;
  return new TailwireError({ code: "bad_option", description, fault: "client", retry: false });
}
