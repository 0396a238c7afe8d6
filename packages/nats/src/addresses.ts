/** The addresses of NATS servers, as an application writes them. It connects to none. */
import type { NatsCredentials } from "./settings.ts";

/** Addresses, taken apart. */
export interface Addresses {
  /** Without credentials: they are named in messages, too. */
  readonly servers: readonly string[];
  /** The user or token that the addresses name. */
  readonly credentials: NatsCredentials | undefined;
  /** Whether one asks for TLS. All are spoken to by it then, since a cluster names its servers itself. */
  readonly isTls: boolean;
}

/** Scheme, credentials, and host with port. */
const ADDRESS =
  /^((?:nats|tls):\/\/)?(?:([^@/\s]+)@)?((?:\[[\da-f:.]+\]|[^@/\s:,[\]]+)(?::\d{1,5})?)\/?$/i;

/** @throws TypeError when one is none, or they name several users. Its words have no credentials. */
export function addressesOf(given: unknown): Addresses {
  const parts = [given].flat().map((address) => {
    const found = typeof address === "string" ? ADDRESS.exec(address) : null;
    if (found === null) throw noAddress();
    return { scheme: found[1] ?? "", user: found[2] ?? "", host: found[3] ?? "" };
  });
  const [first] = parts;
  if (first === undefined) throw noAddress();
  const users = new Set(parts.map(({ user }) => user).filter((user) => user !== ""));
  if (users.size > 1) throw new TypeError("natsBroker.servers: one user for all of them");
  const [user] = users;
  return {
    servers: parts.map(({ scheme, host }) => scheme + host),
    credentials: user === undefined ? undefined : credentialsOf(user),
    isTls: parts.some(({ scheme }) => scheme.toLowerCase() === "tls://"),
  };
}

/** A name without a password is a token, as with NATS's own tools. */
function credentialsOf(text: string): NatsCredentials {
  const [user = "", ...pass] = text.split(":");
  if (pass.length === 0) return { token: decoded(user) };
  return { user: decoded(user), pass: decoded(pass.join(":")) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError("natsBroker.servers: a password in an address has to be URL-encoded");
  }
}

function noAddress(): TypeError {
  return new TypeError(
    "natsBroker.servers: an address, or a list of them, such as nats://localhost:4222",
  );
}
