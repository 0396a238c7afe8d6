/** The credentials of the NATS broker, and what its client library makes of them. */
import { credsAuthenticator, type NodeConnectionOptions } from "@nats-io/transport-node";

/** How the broker shows who it is: by name and password, by a token, or by the text of a `.creds` file. */
export type NatsCredentials =
  | { readonly user: string; readonly pass: string }
  | { readonly token: string }
  | { readonly creds: string };

/** The library's settings for them. */
export function authentication(
  credentials: NatsCredentials | undefined,
): Partial<NodeConnectionOptions> {
  if (credentials === undefined) return {};
  if (!("creds" in credentials)) return credentials;
  return { authenticator: credsAuthenticator(new TextEncoder().encode(credentials.creds)) };
}
