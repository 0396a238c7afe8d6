// Expectations of an upgrade that several suites share: it is refused with a code, or leads to a welcome.
import { expect } from "vitest";
import { helloMessage, Peer, type Request } from "./peer.ts";

/** Asks for an upgrade, and expects a refusal with a coded body. */
export async function expectRefusal(
  port: number,
  request: Request,
  status: number,
  code: string,
): Promise<Peer> {
  const peer = await Peer.open(port, request);
  expect(peer.response?.status).toBe(status);
  expect(peer.response?.headers.get("content-type")).toBe("application/json");
  expect(JSON.parse(peer.response?.body ?? "")).toMatchObject({ code });
  return peer;
}

/** Expects that a peer was upgraded and is welcomed. */
export async function expectServed(peer: Peer): Promise<void> {
  expect(peer.response?.status).toBe(101);
  peer.say(helloMessage());
  await peer.message("welcome");
}
