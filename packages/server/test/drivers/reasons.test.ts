// The reason that keeps a client on Node from connecting is shown in its status, until it is up.
import { createServer } from "node:https";
import { createClient } from "@tailwire/client";
import { expect, onTestFinished, test } from "vitest";
import { selfSigned } from "./certificate.ts";
import { serve, until } from "./support.ts";

/** The reason that a client shows after its first attempt. */
async function reasonAt(url: string): Promise<string | null> {
  const client = createClient(url);
  onTestFinished(() => client.close());
  client.channel("room:1").subscribe();
  await until(() => client.status.reason !== null, "a reason");
  expect(client.status.state).toBe("reconnecting");
  return client.status.reason;
}

test("[CONN-7] nothing at the path, and a token that can't be judged: the server's code", async () => {
  const { url } = await serve();
  expect(await reasonAt(url.replace("tailwire", "tailwyre"))).toBe("not_found");
  const authenticate = (): never => {
    throw new Error("the token service is away");
  };
  expect(await reasonAt((await serve({ identification: { authenticate } })).url)).toBe(
    "unavailable",
  );
});

test("TLS that nobody trusts, and none at all: the system's code", async () => {
  const secure = await serve({ http: createServer(selfSigned()) });
  expect(await reasonAt(secure.url)).toBe("DEPTH_ZERO_SELF_SIGNED_CERT");
  const { url } = await serve();
  expect(await reasonAt(url.replace("ws:", "wss:"))).toMatch(/^E[A-Z_]+$/);
});
