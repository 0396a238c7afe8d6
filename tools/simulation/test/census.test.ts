// Private fields are counted from outside, as they are.
import { expect, test } from "vitest";
import { InspectorCensus, World } from "@tailwire/simulation";

test("a client's and a node's private fields are counted as they are", async () => {
  const world = new World();
  const client = world.client("ada");
  const census = new InspectorCensus();
  const wires = (): number => census.count(client, ["#wires"]);
  const encodings = (): number => census.count(world.node, ["#channels", "*", "#encodings"]);
  expect([wires(), encodings()]).toEqual([0, 0]);
  const [one, two] = ["room:1", "room:2"].map((name) => client.channel(name).subscribe());
  await world.advance(1_000);
  await world.outcome(client.channel("room:1").publish("message", 1));
  await world.advance(1_000);
  expect([wires(), encodings()]).toEqual([2, 1]);
  expect(census.count(world.node, ["#channels", "*", "#cursors"])).toBe(2);
  void one?.close();
  void two?.close();
  await world.advance(1_000);
  expect([wires(), encodings()]).toEqual([0, 0]);
  census.end();
});

test("a place that has moved is an error", () => {
  const census = new InspectorCensus();
  expect(() => census.count(new World().client("ada"), ["#nowhere"])).toThrow("no #nowhere");
  census.end();
});
