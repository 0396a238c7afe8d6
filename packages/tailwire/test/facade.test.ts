// The package that is typed first has everything of those that it brings.
import * as client from "@tailwire/client";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import * as server from "@tailwire/server";
import * as tailwire from "tailwire";
import * as tailwireClient from "tailwire/client";
import * as tailwireMsgpack from "tailwire/msgpack";
import { expect, test } from "vitest";

test("tailwire is @tailwire/server, and tailwire/client is @tailwire/client", () => {
  expect({ ...tailwire }).toEqual({ ...server });
  expect({ ...tailwireClient }).toEqual({ ...client });
  expect(tailwire.createTailwire).toBe(server.createTailwire);
  expect(tailwireClient.createClient).toBe(client.createClient);
});

test("tailwire/msgpack is the codec that both take", () => {
  expect({ ...tailwireMsgpack }).toEqual({ msgpackCodec });
});
